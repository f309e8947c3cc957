package ribout

import (
	"fmt"
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// TestOurMembership goes out first of all, with an End-of-RIB of its own, and
// then as its difference.
func TestOurMembership(t *testing.T) {
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprint("64512:", 1000+i))
	}
	for name, s := range map[string]Session{
		"internal": internal(neighbor.AllFamilies),
		"external": {LocalAS: 64512, PeerAS: 65001, Families: neighbor.AllFamilies, FourOctetAS: true, MaxMessage: 4096, RouterID: routerID},
		"AS_TRANS": {LocalAS: 4200000000, PeerAS: 65001, Families: neighbor.AllFamilies, MaxMessage: 4096, RouterID: routerID},
		"not it":   internal(vpn),
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable()
			set := targets(many...)
			table.SetMembership(set)
			p := connect(t, table, s)
			p.receive() // it says nothing of its own
			p.wantsMembership("at the beginning", set)
			if !s.Families.Contains(neighbor.RouteTarget) {
				return
			}
			if !slices.Equal(p.ends, []string{"1/132"}) || p.updates != 3 || p.longest < 4080 {
				t.Errorf("End-of-RIB of %q in %d messages, the longest of %d bytes", p.ends, p.updates, p.longest)
			}
			p.updates = 0
			set = targets(append(many[1:], "64512:9")...)
			table.SetMembership(set)
			table.SetMembership(set)
			p.receive()
			p.wantsMembership("one more, one less", set)
			if p.updates != 2 || len(p.gone) != 1 || len(p.ends) != 1 {
				t.Errorf("%d messages withdrew %v; End-of-RIB of %q", p.updates, p.gone, p.ends)
			}
			table.SetMembership(routetarget.Set{})
			p.receive()
			p.wantsMembership("nothing", routetarget.Set{})
		})
	}
}

// TestOurMembershipRefresh sends all of it again.
func TestOurMembershipRefresh(t *testing.T) {
	for _, s := range []Session{internal(neighbor.AllFamilies), marked(internal(neighbor.AllFamilies))} {
		table := NewTable()
		one, two := targets("64512:1", "64512:2"), targets("64512:2", "64512:3")
		table.SetMembership(one)
		p := connect(t, table, s)
		p.receive()
		p.changes = map[string]int{}
		table.SetMembership(two)
		p.refresh(neighbor.RouteTarget)
		p.receive()
		p.wantsMembership("refreshed", two)
		if len(p.changes) != 2 || len(p.gone) != 1 || len(p.owed) > 0 || len(p.ends) != 1 {
			t.Errorf("sent %v, withdrawn %v; it still waits for %v; End-of-RIB of %q", p.changes, p.gone, p.owed, p.ends)
		}
	}
}
