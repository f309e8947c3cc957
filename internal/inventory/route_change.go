package inventory

import (
	"slices"

	"github.com/buoynet/buoy/vrf"
)

// RouteChange is a route as it was and as it is; nil stands for none.
type RouteChange struct {
	Before, After *vrf.Route
}

// Key returns what tells the route apart.
func (c RouteChange) Key() vrf.Key {
	if c.Before != nil {
		return c.Before.Key
	}
	return c.After.Key
}

// RouteChanges returns the routes that differ between two states, ordered by
// key. Changed has the names of all resources that do. Takes says which floating
// IPs count.
func RouteChanges(before, after *State, changed []string, takes func(f *FloatingIP) bool) (list []RouteChange) {
	for name := range affected(before, after, changed) {
		was, is := routesOf(before, name, takes), routesOf(after, name, takes)
		for i, r := range was {
			at := slices.IndexFunc(is, func(now vrf.Route) bool { return now.Key == r.Key })
			switch {
			case at < 0:
				list = append(list, RouteChange{Before: &was[i]})
			case is[at] != r:
				list = append(list, RouteChange{&was[i], &is[at]})
			}
		}
		for i, r := range is {
			if !slices.ContainsFunc(was, func(old vrf.Route) bool { return old.Key == r.Key }) {
				list = append(list, RouteChange{After: &is[i]})
			}
		}
	}
	slices.SortFunc(list, func(a, b RouteChange) int { return a.Key().Compare(b.Key()) })
	return list
}

func routesOf(s *State, floatingIP string, takes func(f *FloatingIP) bool) []vrf.Route {
	f, ok := s.FloatingIP(floatingIP)
	if !ok || !takes(f) {
		return nil
	}
	return s.RoutesOf(f)
}

// affected returns the floating IPs whose routes depend on changed resources.
func affected(before, after *State, changed []string) map[string]bool {
	names := map[string]bool{}
	for _, name := range changed {
		for _, s := range []*State{before, after} {
			switch KindOf(name) {
			case KindFloatingIP:
				names[name] = true
			case KindNetwork:
				for f := range s.FloatingIPsIn(name) {
					names[f.Name] = true
				}
			case KindComputeNode:
				for f := range s.FloatingIPsAt(name) {
					names[f.Name] = true
				}
			case KindGlobal:
				for f := range s.FloatingIPs("") {
					names[f.Name] = true
				}
			}
		}
	}
	return names
}
