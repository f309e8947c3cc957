package lab

import (
	"context"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// Originator is a gateway that announces VPN routes of its own, the Origins of
// its configuration. It then asks Buoy to keep them while it restarts (RFC 4724).
type Originator interface {
	Gateway
	// Announce announces routes, in place of those with the same keys. Withdraw
	// withdraws them. Without any, all are meant that were ever announced.
	Announce(ctx context.Context, routes ...Route) error
	Withdraw(ctx context.Context, routes ...Route) error
	// Kill ends what speaks BGP without a warning, and Restart starts it again: FRR
	// and BIRD with the routes that they had, GoBGP with none.
	Kill()
	Restart(ctx context.Context) error
}

// originated are all routes that an Originator has ever announced, each in its last
// form and always at the same place.
type originated []Route

// put adds routes, or replaces those with the same keys. It returns the routes
// that are meant.
func (o *originated) put(routes []Route) []Route {
	for _, r := range routes {
		if i := o.index(r); i >= 0 {
			(*o)[i] = r
		} else {
			*o = append(*o, r)
		}
	}
	return o.meant(routes)
}

// meant returns the routes, or all if there are none.
func (o *originated) meant(routes []Route) []Route {
	if len(routes) == 0 {
		return slices.Clone(*o)
	}
	return routes
}

func (o *originated) index(r Route) int {
	return slices.IndexFunc(*o, func(other Route) bool { return other.Key() == r.Key() })
}

// of returns the routes of a family.
func (o originated) of(f Family) (routes []Route) {
	for _, r := range o {
		if r.Family() == f {
			routes = append(routes, r)
		}
	}
	return routes
}

// distinguishers returns those of the routes, each once.
func (o originated) distinguishers() (list []routetarget.Distinguisher) {
	for _, r := range o {
		if !slices.Contains(list, r.RD) {
			list = append(list, r.RD)
		}
	}
	return list
}

// bareTargets returns targets as FRR and gobgp read them.
func bareTargets(set routetarget.Set) (list []string) {
	for _, text := range set.Strings() {
		list = append(list, strings.TrimPrefix(text, "target:"))
	}
	return list
}
