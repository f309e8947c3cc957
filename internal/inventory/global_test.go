package inventory

import (
	"fmt"
	"strings"
	"testing"
)

func TestSeedGlobal(t *testing.T) {
	w := &world{TB: t, store: memory{keys: map[string]entry{}}, state: NewState(Static{})}
	if g, ok := w.state.Global(); ok {
		t.Errorf("an empty state has %+v", g)
	}
	w.refused("before the first start", SetGlobal{AS: 64512}, Error{FailedPrecondition, ReasonASDiffers, "", "", "the AS is not known yet"})
	w.planned("first start", SeedGlobal{64512}, `put global@0 {"as":64512,"next_network_id":1}`)
	w.do(SeedGlobal{64512})
	w.planned("later start", SeedGlobal{64512}, "")
	w.refused("another AS", SeedGlobal{65000}, Error{FailedPrecondition, ReasonASDiffers, "bgp.as", "",
		"the store belongs to AS 64512 and the configuration says 65000; automatic route targets depend on it: " +
			"set bgp.as to 64512; to change the AS, run 'buoyctl set global --as 65000' while the daemon runs with 64512"})
}

// TestSetGlobal changes the AS, and back again: only the automatic targets
// follow.
func TestSetGlobal(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{Name: public, Subnets: prefixes("203.0.113.0/24"), Targets: targets("64512:1"), ExportTargets: targets("64512:2")}},
		network(private, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), allocate(web, public, "203.0.113.5"), associate(web, cmp1, "tap0", 100))
	w.planned("none", SetGlobal{AS: 64512}, "")
	w.planned("four octets", SetGlobal{AS: 4200000000},
		`put global@3 {"as":4200000000,"next_network_id":3}`,
		`none above network/@6`)
	for as, text := range map[uint32]string{0: "0", 23456: "23456"} {
		w.refused(text, SetGlobal{AS: as}, Error{InvalidArgument, ReasonInvalid, "as", "",
			"expected an AS 1..4294967295 other than AS_TRANS 23456 (RFC 6793), got " + text})
	}
	start := dump(w.state)
	for _, tt := range []struct {
		as        uint32
		automatic [2]string
	}{
		{4200000000, [2]string{"4200000000:8001", "4200000000:8002"}},
		{65535, [2]string{"65535:8000001", "65535:8000002"}},
		{65536, [2]string{"65536:8001", "65536:8002"}},
		{64512, [2]string{"64512:8000001", "64512:8000002"}},
	} {
		w.do(SetGlobal{AS: tt.as})
		if got := vrfsOf(w.restarted(), tt.as); got != vrfsOf(w.state, tt.as) {
			t.Errorf("AS %d: after a restart %s", tt.as, got)
		}
		n, _ := w.state.Network(public)
		if v := n.VRF(tt.as); v.Import != targets("64512:1", tt.automatic[0]) || v.Export != targets("64512:1", "64512:2", tt.automatic[0]) {
			t.Errorf("AS %d: got %+v", tt.as, v)
		}
		if byID, _ := w.state.NetworkByID(1); byID != n {
			t.Errorf("AS %d: by its id it is %+v", tt.as, byID)
		}
		m, _ := w.state.Network(private)
		if v := m.VRF(tt.as); v.Import != targets(tt.automatic[1]) || v.Export != v.Import {
			t.Errorf("AS %d: got %+v", tt.as, v)
		}
		f, _ := w.state.FloatingIP(web)
		if routes := w.state.RoutesOf(f); len(routes) != 1 || routes[0].Targets != n.VRF(tt.as).Export {
			t.Errorf("AS %d: got %+v", tt.as, routes)
		}
	}
	// But for the revision, nothing is different.
	if got := dump(w.state); got[strings.Index(got, "\n"):] != start[strings.Index(start, "\n"):] {
		t.Errorf("back again:\n got %s\nwant %s", got, start)
	}
	w.do(SeedGlobal{AS: 64512}, SetGlobal{AS: 65000}, SeedGlobal{AS: 65000})
}

// vrfsOf shows what all networks mean to BGP.
func vrfsOf(s *State, as uint32) (text string) {
	for n := range s.Networks() {
		text += fmt.Sprintf("%s %+v\n", n.Name, n.VRF(as))
	}
	return text
}

// TestSetGlobalCollides lists the configured targets that would be automatic.
func TestSetGlobalCollides(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{Name: public, Targets: targets("65000:8000001", "65000:8000000", "65000L:8001"), ImportTargets: targets("65000:8057535"), ExportTargets: targets("65000:8057536")}},
		CreateNetwork{Network{Name: private, ExportTargets: targets("65000:8000500")}})
	const problem = "with AS 65000 the automatic targets are target:65000:8000001 to target:65000:8057535, and configured ones lie there: "
	w.refused("each kind", SetGlobal{AS: 65000}, Error{FailedPrecondition, ReasonTargetCollides, "as", private,
		problem + private + " has target:65000:8000500, " + public + " has target:65000:8000001, " + public + " has target:65000:8057535"})
	for i := range 4 {
		w.do(CreateNetwork{Network{Name: NetworkName("p", fmt.Sprint("n", i)), Targets: targets("65000:8000001")}})
	}
	w.refused("many", SetGlobal{AS: 65000}, Error{FailedPrecondition, ReasonTargetCollides, "as", NetworkName("p", "n0"),
		problem + "projects/p/networks/n0 has target:65000:8000001, projects/p/networks/n1 has target:65000:8000001, " +
			"projects/p/networks/n2 has target:65000:8000001, projects/p/networks/n3 has target:65000:8000001, " + private + " has target:65000:8000500 and 2 more"})
	w.do(SetGlobal{AS: 65001})
	// Now those of the first AS are free to choose, and then it cannot come back.
	w.do(UpdateNetwork{Name: public, Targets: ptr(targets("64512:8000007"))})
	w.refused("back", SetGlobal{AS: 64512}, Error{FailedPrecondition, ReasonTargetCollides, "as", public,
		"with AS 64512 the automatic targets are target:64512:8000001 to target:64512:8057535, and configured ones lie there: " + public + " has target:64512:8000007"})
	w.refused("its own", UpdateNetwork{Name: public, Targets: ptr(targets("65001:8000007"))}, Error{InvalidArgument, ReasonAutomatic, "route_targets", "",
		"target:65001:8000007 lies in the range of the automatic targets, target:65001:8000001 to target:65001:8057535; choose a number outside"})
}

// TestTargetsInBothLists: in both lists means both.
func TestTargetsInBothLists(t *testing.T) {
	w := newWorld(t)
	lists := Network{Name: public, Targets: targets("1:1"), ImportTargets: targets("1:1", "1:2", "1:3"), ExportTargets: targets("1:3", "1:4")}
	const tail = `"targets":"target:1:1 target:1:3","import_targets":"target:1:2","export_targets":"target:1:4","encapsulations":""}`
	w.planned("create", CreateNetwork{lists},
		`put network/projects/p/networks/public@0 {"name":"projects/p/networks/public","id":1,"subnets":null,`+tail,
		`put netid/1@0 projects/p/networks/public`, `put global@1 {"as":64512,"next_network_id":2}`)
	w.do(CreateNetwork{Network{Name: public, Targets: targets("1:1"), ImportTargets: targets("1:2", "1:3")}})
	w.planned("update", UpdateNetwork{Name: public, ExportTargets: ptr(targets("1:1", "1:3", "1:4"))},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":null,`+tail, `check global@2`)
	// A store of before holds them as they were given: they mean the same.
	w.commit([]Mutation{put(networkPrefix+public, AnyVersion, Network{Name: public, ID: 1, ImportTargets: targets("1:3"), ExportTargets: targets("1:3")})})
	n, _ := w.state.Network(public)
	if v := n.VRF(64512); v.Import != targets("1:3", "64512:8000001") || v.Export != v.Import {
		t.Errorf("got %+v", v)
	}
}
