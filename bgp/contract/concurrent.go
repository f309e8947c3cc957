package contract

import (
	"fmt"
	"slices"
	"sync"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// concurrently: whoever calls what at the same time, in the end a router has
// what was advertised last, and the speaker says so.
func concurrently(w *world) {
	r, member := w.peer(vpn...), w.peer(withMembership...)
	w.must(member.Join(wants(red)))
	w.must(member.EndOfRIB(lab.RouteTarget))
	check := func(err error) {
		if err != nil {
			w.Error(err)
		}
	}
	var wg sync.WaitGroup
	var last []vrf.Route
	for i := range 4 {
		var routes []vrf.Route
		for j := range 50 {
			routes = append(routes, route(fmt.Sprintf("198.51.%d.%d/32", i, j)))
		}
		last = append(last, routes...)
		wg.Go(func() {
			changing := slices.Clone(routes)
			for label := range vrf.Label(20) {
				for j := range changing {
					changing[j].Label = 1000 + label
				}
				check(w.Advertise(w.Context(), changing))
				check(w.Withdraw(w.Context(), changing[:10]))
			}
			check(w.Advertise(w.Context(), routes))
		})
	}
	wg.Go(func() {
		for i := range 20 {
			check(w.SetMembership(w.Context(), routetarget.NewSet([]routetarget.Target{red, blue}[i%2])))
			check(w.SetNeighbors(w.Context(), slices.Clone(w.neighbors)))
			check(w.SetNetworks(w.Context(), map[uint16]routetarget.Set{1: routetarget.NewSet(red)}))
		}
	})
	wg.Go(func() {
		for range 50 {
			w.Neighbors()
			for route := range w.AdjRIBOut(r.addr(), vrf.Key{}) {
				w.Delivery(member.addr(), route.Key)
			}
		}
	})
	wg.Wait()
	for _, r := range []*router{r, member} {
		r.has(last...)
		r.keeps(last...)
	}
}

// keeps waits until what the router was told, all in all, are these routes.
func (r *router) keeps(want ...vrf.Route) {
	r.w.Helper()
	r.w.eventually("the routes of "+r.settings.Name, func() error {
		kept := map[string]string{}
		for _, e := range r.events() {
			switch {
			case e.EndOfRIB || e.Family == lab.RouteTarget:
			case e.Withdrawn:
				delete(kept, e.Route.Key())
			default:
				kept[e.Route.Key()] = e.String()
			}
		}
		for _, route := range want {
			if got := kept[route.Key.String()]; got != plus(route) {
				return fmt.Errorf("it has %q, want %q", got, plus(route))
			}
		}
		if len(kept) != len(want) {
			return fmt.Errorf("it has %d routes, want %d", len(kept), len(want))
		}
		return nil
	})
}
