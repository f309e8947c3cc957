package inventory

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func TestCreateNetwork(t *testing.T) {
	w := newWorld(t)
	w.planned("bare", CreateNetwork{Network{Name: public}},
		`put network/projects/p/networks/public@0 {"name":"projects/p/networks/public","id":1,"subnets":null,"targets":"","import_targets":"","export_targets":"","encapsulations":""}`,
		`put netid/1@0 projects/p/networks/public`,
		`put global@1 {"as":64512,"next_network_id":2}`)
	full := CreateNetwork{Network{
		Name:           public,
		Subnets:        prefixes("203.0.113.0/24", "2001:db8::/64"),
		Targets:        targets("64512:2", "64512:1"),
		ImportTargets:  targets("64512:3"),
		ExportTargets:  targets("10.0.0.1:4"),
		Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP, vrf.GRE),
	}}
	w.planned("full", full,
		`put network/projects/p/networks/public@0 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24","2001:db8::/64"],"targets":"target:64512:1 target:64512:2","import_targets":"target:64512:3","export_targets":"target:10.0.0.1:4","encapsulations":"gre,udp"}`,
		`put netid/1@0 projects/p/networks/public`,
		`put global@1 {"as":64512,"next_network_id":2}`)
	w.do(full)
	n, ok := w.state.Network(public)
	if byID, found := w.state.NetworkByID(1); !ok || !found || byID != n || n.Version != 2 {
		t.Errorf("got %+v and by its id %+v", n, byID)
	}
	got := n.VRF(64512)
	want := vrf.VRF{
		ID:             1,
		Import:         targets("64512:1", "64512:2", "64512:3", "64512:8000001"),
		Export:         targets("64512:1", "64512:2", "10.0.0.1:4", "64512:8000001"),
		Encapsulations: vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP),
	}
	if got != want {
		t.Errorf("VRF:\n got %+v\nwant %+v", got, want)
	}
}

// networkRefusals are what CreateNetwork and UpdateNetwork refuse alike.
var networkRefusals = []struct {
	name    string
	network Network
	want    Error
}{
	{"invalid prefix", Network{Subnets: []netip.Prefix{{}}},
		Error{InvalidArgument, ReasonInvalid, "subnets", "", "expected unicast prefixes like 203.0.113.0/24, got invalid Prefix"}},
	{"mapped prefix", Network{Subnets: prefixes("::ffff:10.0.0.0/104")},
		Error{InvalidArgument, ReasonInvalid, "subnets", "", "expected unicast prefixes like 203.0.113.0/24, got ::ffff:10.0.0.0/104"}},
	{"multicast", Network{Subnets: prefixes("10.0.0.0/24", "224.0.1.0/24")},
		Error{InvalidArgument, ReasonInvalid, "subnets", "", "expected unicast prefixes like 203.0.113.0/24, got 224.0.1.0/24"}},
	{"multicast v6", Network{Subnets: prefixes("ff00::/8")},
		Error{InvalidArgument, ReasonInvalid, "subnets", "", "expected unicast prefixes like 203.0.113.0/24, got ff00::/8"}},
	{"host bits", Network{Subnets: prefixes("203.0.113.7/24")},
		Error{InvalidArgument, ReasonInvalid, "subnets", "", "203.0.113.7/24 has host bits set; the prefix is 203.0.113.0/24"}},
	{"overlap", Network{Subnets: prefixes("10.0.0.0/24", "10.1.0.0/24", "10.1.0.128/25")},
		Error{InvalidArgument, ReasonOverlap, "subnets", "", "10.1.0.128/25 overlaps 10.1.0.0/24; the subnets of a network must not overlap"}},
	{"twice", Network{Subnets: prefixes("2001:db8::/64", "2001:db8::/64")},
		Error{InvalidArgument, ReasonOverlap, "subnets", "", "2001:db8::/64 overlaps 2001:db8::/64; the subnets of a network must not overlap"}},
	{"automatic target", Network{Targets: targets("64512:1", "64512:8000001")},
		Error{InvalidArgument, ReasonAutomatic, "route_targets", "", "target:64512:8000001 lies in the range of the automatic targets, target:64512:8000001 to target:64512:8057535; choose a number outside"}},
	{"automatic import target", Network{ImportTargets: targets("64512:8000500")},
		Error{InvalidArgument, ReasonAutomatic, "import_targets", "", "target:64512:8000500 lies in the range of the automatic targets, target:64512:8000001 to target:64512:8057535; choose a number outside"}},
	{"automatic export target", Network{ExportTargets: targets("64512:8057535")},
		Error{InvalidArgument, ReasonAutomatic, "export_targets", "", "target:64512:8057535 lies in the range of the automatic targets, target:64512:8000001 to target:64512:8057535; choose a number outside"}},
}

// TestNetworkLimits checks the bounds of what a network may have.
func TestNetworkLimits(t *testing.T) {
	w := newWorld(t)
	w.do(network(public))
	subnets := make([]netip.Prefix, 257)
	var many routetarget.Set
	for i := range subnets {
		subnets[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		many = many.Union(targets(fmt.Sprintf("1:%d", i)))
	}
	w.refused("subnets", UpdateNetwork{Name: public, Subnets: &subnets}, Error{InvalidArgument, ReasonInvalid, "subnets", "", "expected at most 256, got 257"})
	w.do(UpdateNetwork{Name: public, Subnets: ptr(subnets[1:])})
	few := many.Minus(targets("1:0"))
	tooMany := Error{InvalidArgument, ReasonInvalid, "route_targets", "", "expected at most 256 targets to import or to export, got 257"}
	w.refused("both", UpdateNetwork{Name: public, Targets: &many}, tooMany)
	w.refused("import", UpdateNetwork{Name: public, ImportTargets: &many}, tooMany)
	w.refused("export", UpdateNetwork{Name: public, Targets: &few, ExportTargets: ptr(targets("1:0"))}, tooMany)
	w.do(UpdateNetwork{Name: public, ImportTargets: &few, ExportTargets: ptr(targets("2:1"))})
	for _, text := range []string{"127.0.0.0/8", "::1/128", "0.0.0.0/0", "::/0"} {
		w.refused(text, UpdateNetwork{Name: public, Subnets: ptr(prefixes(text))}, Error{InvalidArgument, ReasonInvalid, "subnets", "", text + " cannot hold public addresses"})
	}
}

func TestCreateNetworkRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"))
	for _, tt := range networkRefusals {
		tt.network.Name = private
		w.refused(tt.name, CreateNetwork{tt.network}, tt.want)
	}
	w.refused("exists", CreateNetwork{Network{Name: public}},
		Error{AlreadyExists, ReasonExists, "name", public, "projects/p/networks/public exists"})
	w.refused("name", CreateNetwork{Network{Name: "public"}},
		Error{InvalidArgument, ReasonInvalid, "name", "", `expected projects/PROJECT/networks/NAME, got "public"`})

	empty := &world{TB: t, state: NewState(Static{})}
	empty.refused("before the first start", CreateNetwork{Network{Name: public}},
		Error{FailedPrecondition, ReasonASDiffers, "", "", "the AS is not known yet"})

	// Beside the range, and with another AS, every number is free to choose.
	w.do(CreateNetwork{Network{Name: private, Targets: targets("64512:8000000", "64512:8057536", "64513:8000001", "64512L:8001")}})
}

func TestUpdateNetwork(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{Name: public, Subnets: prefixes("203.0.113.0/24"), Targets: targets("64512:1")}})
	w.planned("nothing", UpdateNetwork{Name: public},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"target:64512:1","import_targets":"","export_targets":"","encapsulations":""}`)
	w.planned("a list becomes empty", UpdateNetwork{Name: public, Targets: ptr(targets()), ImportTargets: ptr(targets("64512:5"))},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"target:64512:5","export_targets":"","encapsulations":""}`,
		`check global@2`)
	w.planned("subnets", UpdateNetwork{
		Name: public, Subnets: ptr(prefixes("2001:db8::/64")), ExportTargets: ptr(targets("64512:6")), Encapsulations: ptr(vrf.NewEncapsulations(vrf.GRE))},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["2001:db8::/64"],"targets":"target:64512:1","import_targets":"","export_targets":"target:64512:6","encapsulations":"gre"}`,
		`check global@2`,
		`none above addr/1/@2`,
		`none above pool/projects/p/networks/public/pools/@2`)
}

func TestUpdateNetworkRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), allocate(web, public, "203.0.113.127"), allocate(mail, public, "203.0.113.200"))
	for _, tt := range networkRefusals {
		n := tt.network
		c := UpdateNetwork{Name: public, Targets: &n.Targets, ImportTargets: &n.ImportTargets, ExportTargets: &n.ExportTargets}
		if n.Subnets != nil {
			c.Subnets = &n.Subnets
		}
		w.refused(tt.name, c, tt.want)
	}
	w.refused("unknown", UpdateNetwork{Name: private},
		Error{NotFound, ReasonNotFound, "name", private, "projects/p/networks/private does not exist"})
	const problem = "an address that would no longer be in the subnets of projects/p/networks/public is in use by "
	w.refused("no subnets", UpdateNetwork{Name: public, Subnets: &[]netip.Prefix{}},
		Error{FailedPrecondition, ReasonInUse, "subnets", web, problem + web + " (203.0.113.127), " + mail + " (203.0.113.200)"})
	w.refused("one is outside", UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/25", "203.0.113.128/26"))},
		Error{FailedPrecondition, ReasonInUse, "subnets", mail, problem + mail + " (203.0.113.200)"})
	w.refused("one would be the broadcast address", UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/25", "203.0.113.128/25"))},
		Error{FailedPrecondition, ReasonInUse, "reserved_hosts", web, "an address that would be reserved in " + public + " is in use by " + web + " (203.0.113.127)"})
	w.do(UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.127/32", "203.0.113.128/25"))})
}

func TestDeleteNetwork(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), network(private, "203.0.113.0/24"), allocate(web, private, "203.0.113.5"))
	w.refused("unknown", DeleteNetwork{"projects/q/networks/public"},
		Error{NotFound, ReasonNotFound, "name", "projects/q/networks/public", "projects/q/networks/public does not exist"})
	w.refused("in use", DeleteNetwork{private},
		Error{FailedPrecondition, ReasonInUse, "name", web, private + " is in use by " + web})
	w.planned("free", DeleteNetwork{public},
		`delete network/projects/p/networks/public@2`,
		`delete netid/1@any`,
		`delete cursor/projects/p/networks/public@any`,
		`none above addr/1/@4`,
		`none above pool/projects/p/networks/public/pools/@4`,
		`none above binding/@4`)
	for i := range 7 {
		w.do(allocate(fmt.Sprintf("projects/p/floatingIps/f%d", i), private, fmt.Sprintf("203.0.113.%d", 10+i)))
	}
	w.refused("much in use", DeleteNetwork{private}, Error{FailedPrecondition, ReasonInUse, "name", web,
		private + " is in use by " + web + ", projects/p/floatingIps/f0, projects/p/floatingIps/f1, projects/p/floatingIps/f2, projects/p/floatingIps/f3 and 3 more"})
}

// TestNetworkIDs checks that an id rests before it is used again.
func TestNetworkIDs(t *testing.T) {
	w := newWorld(t)
	create := func(name string, want uint16) {
		t.Helper()
		name = NetworkName("p", name)
		w.do(CreateNetwork{Network{Name: name}})
		n, _ := w.state.Network(name)
		if byID, ok := w.state.NetworkByID(want); n.ID != want || !ok || byID != n {
			t.Fatalf("%s has id %d, want %d", name, n.ID, want)
		}
	}
	create("a", 1)
	create("b", 2)
	w.do(DeleteNetwork{NetworkName("p", "a")})
	create("a", 3) // not 1 again
	w.do(DeleteNetwork{NetworkName("p", "a")})
	create("c", 4)

	// The search wraps around, and skips what is taken.
	w.commit([]Mutation{put(globalKey, AnyVersion, Global{AS: 64512, NextNetworkID: routetarget.MaxNetworkID})})
	create("last", routetarget.MaxNetworkID)
	create("d", 1)
	create("e", 3)
	create("f", 5)
	if g, _ := w.state.Global(); g.NextNetworkID != 6 {
		t.Errorf("the next id is %d, want 6", g.NextNetworkID)
	}
}

func TestNetworkIDsExhausted(t *testing.T) {
	w := newWorld(t)
	changes := make([]Change, routetarget.MaxNetworkID)
	name := func(id int) string { return NetworkName("p", fmt.Sprint("n", id)) }
	for i := range changes {
		id := i + 1
		value := fmt.Appendf(nil, `{"name":%q,"id":%d}`, name(id), id)
		changes[i] = Change{Key: networkPrefix + name(id), Value: value, Version: 2}
	}
	if _, err := w.state.Apply(2, changes); err != nil {
		t.Fatal(err)
	}
	w.refused("all taken", network(public, "203.0.113.0/24"),
		Error{FailedPrecondition, ReasonExhausted, "", "", "all 57535 network ids are in use; delete a network first"})
	if _, err := w.state.Apply(3, []Change{{Key: networkPrefix + name(40000)}}); err != nil {
		t.Fatal(err)
	}
	w.planned("one is free", CreateNetwork{Network{Name: public}},
		`put network/projects/p/networks/public@0 {"name":"projects/p/networks/public","id":40000,"subnets":null,"targets":"","import_targets":"","export_targets":"","encapsulations":""}`,
		`put netid/40000@0 projects/p/networks/public`,
		`put global@1 {"as":64512,"next_network_id":40001}`)
}
