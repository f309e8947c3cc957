package api

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// A table that is long is listed to its end.
func TestListLongTables(t *testing.T) {
	const routes = 30_000
	m := &memory{inventory.NewState(inventory.Static{})}
	s := servicesOver(m)
	if _, err := m.Execute(t.Context(), inventory.SeedGlobal{AS: 64512}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.networks.CreateNetwork(t.Context(), &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: public, RouteTargets: []string{ofPublic}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.neighbors.CreateNeighbor(t.Context(), &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 64512}}); err != nil {
		t.Fatal(err)
	}
	var list []*vrf.Received
	like := from(t, sourceOf("mx1", "10.0.0.1"), "1:1", "0.0.0.0/0", 1000, 100, ofPublic)
	for n := range routes {
		r := *like
		r.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
		list = append(list, &r)
	}
	speaker := &fakeSpeaker{state: m.State}
	speaker.announce(list...)
	tables := speaker.imports()
	s.routes.view = view{Config{Inventory: m, Routes: func() RouteTable { return speaker }, Imports: func() vrf.Tables { return tables },
		Sessions: speaker, Families: neighbor.AllFamilies, Logger: slog.New(slog.DiscardHandler)}}
	for _, req := range []*buoyv1.ListRoutesRequest{{Network: public}, {}} {
		got, pages := 0, 0
		for ; pages == 0 || req.PageToken != ""; pages++ {
			resp, err := s.routes.ListRoutes(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got += len(resp.Routes)
			req.PageToken = resp.NextPageToken
		}
		if got != routes || pages != routes/maxPage {
			t.Errorf("%v: got %d routes on %d pages, want %d", req, got, pages, routes)
		}
	}
}
