package inventory

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

// floating returns a world with two networks, two compute nodes and two
// floating IPs, at revision 7.
func floating(t testing.TB) *world {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), network(private, "2001:db8::/64"),
		node(cmp1, "10.0.0.11"), node(cmp2, "10.0.0.12"),
		allocate(web, public, "203.0.113.5"), allocate(mail, public, "203.0.113.6"))
	return w
}

func TestAssociate(t *testing.T) {
	w := floating(t)
	w.planned("first", associate(web, cmp1, "tap0", 100),
		`put iface/cmp1/tap0@0 {"label":100,"users":1}`,
		`put label/cmp1/100@0 tap0`,
		`check resting/cmp1/100@0`,
		`put fip/projects/p/floatingIps/web@6 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]}`,
		`check node/computeNodes/cmp1@4`)
	w.do(associate(web, cmp1, "tap0", 100))
	backup := associate(web, cmp2, "tap0", 16)
	backup.Association.Preferred = true
	w.planned("at a second node", backup,
		`put iface/cmp2/tap0@0 {"label":16,"users":1}`,
		`put label/cmp2/16@0 tap0`,
		`check resting/cmp2/16@0`,
		`put fip/projects/p/floatingIps/web@8 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100},{"compute_node":"computeNodes/cmp2","interface":"tap0","fixed_ip":"10.47.0.5","label":16,"preferred":true}]}`,
		`check node/computeNodes/cmp2@5`)
	w.planned("with the same interface", associate(mail, cmp1, "tap0", 100),
		`put iface/cmp1/tap0@8 {"label":100,"users":2}`,
		`put fip/projects/p/floatingIps/mail@7 {"name":"projects/p/floatingIps/mail","network":"projects/p/networks/public","address":"203.0.113.6","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]}`,
		`check node/computeNodes/cmp1@4`)
	w.do(backup, associate(mail, cmp1, "tap0", 100), associate(mail, cmp2, "tap1", 1048575))
}

func TestAssociateRefusals(t *testing.T) {
	w := floating(t)
	w.do(associate(mail, cmp1, "tap0", 100))
	with := func(change func(*Association)) Associate {
		c := associate(web, cmp1, "tap1", 101)
		change(&c.Association)
		return c
	}
	fixed := func(a netip.Addr) Associate { return with(func(c *Association) { c.FixedIP = a }) }
	long := strings.Repeat("x", 65)
	for _, tt := range []struct {
		name    string
		command Associate
		want    Error
	}{
		{"unknown", associate("projects/p/floatingIps/none", cmp1, "tap1", 101),
			Error{NotFound, ReasonNotFound, "name", "projects/p/floatingIps/none", "projects/p/floatingIps/none does not exist"}},
		{"compute node's name", associate(web, "cmp1", "tap1", 101),
			Error{InvalidArgument, ReasonInvalid, "compute_node", "", `expected computeNodes/NAME, got "cmp1"`}},
		{"no compute node", associate(web, "computeNodes/none", "tap1", 101),
			Error{NotFound, ReasonNotFound, "compute_node", "computeNodes/none", "computeNodes/none does not exist"}},
		{"no interface", associate(web, cmp1, "", 101),
			Error{InvalidArgument, ReasonInvalid, "interface", "", "expected the name of an interface, 1..64 characters, got 0"}},
		{"long interface", associate(web, cmp1, long, 101),
			Error{InvalidArgument, ReasonInvalid, "interface", "", "expected the name of an interface, 1..64 characters, got 65"}},
		{"slash", associate(web, cmp1, "tap/1", 101),
			Error{InvalidArgument, ReasonInvalid, "interface", "", `expected printable characters without blanks and slashes, got "tap/1"`}},
		{"blank", associate(web, cmp1, "tap 1", 101),
			Error{InvalidArgument, ReasonInvalid, "interface", "", `expected printable characters without blanks and slashes, got "tap 1"`}},
		{"not ASCII", associate(web, cmp1, "täp", 101),
			Error{InvalidArgument, ReasonInvalid, "interface", "", `expected printable characters without blanks and slashes, got "täp"`}},
		{"no fixed IP", fixed(netip.Addr{}),
			Error{InvalidArgument, ReasonInvalid, "fixed_ip", "", "expected an IPv4 or IPv6 address, for example 10.47.255.249"}},
		{"multicast fixed IP", fixed(addr("224.0.0.1")),
			Error{InvalidArgument, ReasonInvalid, "fixed_ip", "", "expected a unicast address without a zone, for example 10.47.255.249, got 224.0.0.1"}},
		{"family", fixed(addr("2001:db8::1")),
			Error{InvalidArgument, ReasonFamilyMismatch, "fixed_ip", "", "2001:db8::1 and the floating IP 203.0.113.5 are of different families"}},
		{"small label", associate(web, cmp1, "tap1", 15),
			Error{InvalidArgument, ReasonInvalid, "label", "", "expected a label 16..1048575, got 15"}},
		{"large label", associate(web, cmp1, "tap1", 1048576),
			Error{InvalidArgument, ReasonInvalid, "label", "", "expected a label 16..1048575, got 1048576"}},
		{"associated with the node", associate(mail, cmp1, "tap1", 101),
			Error{AlreadyExists, ReasonAssociated, "compute_node", mail, mail + " is associated with computeNodes/cmp1 already, interface tap0; disassociate it, or move it"}},
		{"interface has another label", associate(web, cmp1, "tap0", 101),
			Error{FailedPrecondition, ReasonLabelDiffers, "label", cmp1, "interface tap0 of computeNodes/cmp1 has label 100; all its floating IPs share it"}},
		{"label of another interface", associate(web, cmp1, "tap1", 100),
			Error{AlreadyExists, ReasonLabelTaken, "label", cmp1, "100 is the label of interface tap0 of computeNodes/cmp1"}},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
	// None of this binds the other compute node.
	w.do(associate(web, cmp2, "tap0", 101), associate(mail, cmp2, "tap1", 100))
}

func TestDisassociate(t *testing.T) {
	w := floating(t)
	w.do(associate(web, cmp1, "tap0", 100), associate(web, cmp2, "tap1", 100), associate(mail, cmp1, "tap0", 100)) // revisions 8, 9, 10
	const fip = `put fip/projects/p/floatingIps/web@9 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"`
	const (
		first  = `{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}`
		second = `{"compute_node":"computeNodes/cmp2","interface":"tap1","fixed_ip":"10.47.0.5","label":100}`
	)
	shared := []string{`put iface/cmp1/tap0@10 {"label":100,"users":1}`}
	alone := []string{`delete iface/cmp2/tap1@9`, `delete label/cmp2/100@any`, `check node/computeNodes/cmp2@5`}
	for _, tt := range []struct {
		name        string
		iface, node string
		left        string
		mutations   []string
	}{
		{"all", "", "", "", append(shared, alone...)},
		{"by interface", "tap0", "", `,"associations":[` + second + `]`, shared},
		{"by the other interface", "tap1", "", `,"associations":[` + first + `]`, alone},
		{"by node", "", cmp2, `,"associations":[` + first + `]`, alone},
		{"by both", "tap0", cmp1, `,"associations":[` + second + `]`, shared},
	} {
		w.planned(tt.name, Disassociate{web, tt.iface, tt.node}, append([]string{fip + tt.left + "}"}, tt.mutations...)...)
	}
	const both = "interface tap0 of computeNodes/cmp1, interface tap1 of computeNodes/cmp2"
	w.refused("other interface", Disassociate{web, "tap9", ""},
		Error{FailedPrecondition, ReasonNotAssociated, "interface", web, web + " is not associated with tap9, but with " + both})
	w.refused("other node", Disassociate{web, "", "computeNodes/none"},
		Error{FailedPrecondition, ReasonNotAssociated, "compute_node", web, web + " is not associated with computeNodes/none, but with " + both})
	w.refused("interface of the other node", Disassociate{web, "tap1", cmp1},
		Error{FailedPrecondition, ReasonNotAssociated, "interface", web, web + " is not associated with tap1, but with " + both})
	w.refused("unknown", Disassociate{"projects/p/floatingIps/none", "", ""},
		Error{NotFound, ReasonNotFound, "name", "projects/p/floatingIps/none", "projects/p/floatingIps/none does not exist"})
	w.do(Disassociate{Name: web})
	w.refused("not associated", Disassociate{web, "tap0", ""},
		Error{FailedPrecondition, ReasonNotAssociated, "name", web, web + " is not associated with a compute node"})
	// A label is free when the last floating IP of its interface is gone.
	w.refused("label in use", associate(web, cmp1, "tap1", 100),
		Error{AlreadyExists, ReasonLabelTaken, "label", cmp1, "100 is the label of interface tap0 of computeNodes/cmp1"})
	w.do(Disassociate{Name: mail}, associate(web, cmp1, "tap1", 100), associate(mail, cmp1, "tap0", 101))
}

func TestRoutesOf(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{
		Name: public, Subnets: prefixes("203.0.113.0/24"), Targets: targets("64512:10003"), ImportTargets: targets("64512:1"), ExportTargets: targets("64512:2"),
		Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP)}},
		node(cmp1, "10.0.0.11"),
		CreateComputeNode{ComputeNode{Name: cmp2, Address: addr("2001:db8::12"), RouterID: addr("10.0.0.12"), Encapsulations: vrf.NewEncapsulations(vrf.GRE)}},
		allocate(web, public, "203.0.113.5"), associate(web, cmp2, "tap0", 200))
	preferred := associate(web, cmp1, "tap0", 100)
	preferred.Association.Preferred = true
	w.do(preferred)
	key := func(rd string) vrf.Key {
		var k vrf.Key
		if err := k.RD.UnmarshalText([]byte(rd)); err != nil {
			t.Fatal(err)
		}
		k.Prefix = prefix("203.0.113.5/32")
		return k
	}
	export := targets("64512:2", "64512:10003", "64512:8000001")
	want := []vrf.Route{
		{Key: key("10.0.0.12:1"), Label: 200, LocalPref: 100, NextHop: addr("2001:db8::12"), Targets: export, Encapsulations: vrf.NewEncapsulations(vrf.GRE)},
		{Key: key("10.0.0.11:1"), Label: 100, LocalPref: 200, NextHop: addr("10.0.0.11"), Targets: export, Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP)},
	}
	f, _ := w.state.FloatingIP(web)
	got := w.state.RoutesOf(f)
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if got := NewState(Static{}).RoutesOf(f); len(got) != 0 {
		t.Errorf("in a state that does not know its network: got %+v", got)
	}
}
