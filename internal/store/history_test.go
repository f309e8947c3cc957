package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// happened returns what the history tells of resources, without values of more than one
// field.
func happened(t *testing.T, s store.Store) (list []string) {
	t.Helper()
	events, err := s.Events(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		before, after := e.Before, e.After
		if strings.Contains(before+after, ",") {
			before, after = "…", "…"
		}
		list = append(list, fmt.Sprint(e.Who, " ", e.Kind, " ", inventory.ShortName(e.Subject), " ", e.Address, " ", before, " ", after))
	}
	return list
}

// TestHistory: each command has its author, also when several share a commit and one
// resource; what is refused or changes nothing has no event, nor what nobody sees.
func TestHistory(t *testing.T) {
	bolt := openBolt(t)
	w := seeded(t, bolt)
	w.do(inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}})
	web := "projects/p/floatingIps/web"
	var contexts []context.Context
	for _, who := range []string{"ann", "bob", "cid", "dan", "eve"} {
		contexts = append(contexts, history.By(t.Context(), history.Author{Who: who}))
	}
	ingress, egress := inventory.Ingress, inventory.Egress
	outcomes, commits := together(w, bolt, contexts, []inventory.Command{
		inventory.Allocate{Name: web, Network: public, Address: netip.MustParseAddr("203.0.113.5")},
		inventory.UpdateFloatingIP{Name: web, Direction: &ingress},
		inventory.Allocate{Name: "projects/p/floatingIps/other", Network: public, Address: netip.MustParseAddr("203.0.113.5")},
		inventory.UpdateFloatingIP{Name: web, Direction: &ingress},
		inventory.UpdateFloatingIP{Name: web, Direction: &egress},
	})
	if commits != 1 || outcomes[2].err == nil || outcomes[4].err != nil {
		t.Fatalf("%d commits, %v", commits, outcomes)
	}
	want := []string{" 1 bgp  … …", " 1 public  … …", "ann 1 web 203.0.113.5 … …",
		`bob 2 web 203.0.113.5 {} {"direction":"ingress"}`, `eve 2 web 203.0.113.5 {"direction":"ingress"} {"direction":"egress"}`}
	if got := happened(t, bolt); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
