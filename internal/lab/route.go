package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Route is a route as a router shows it. What the router does not show is the
// zero value.
type Route struct {
	RD             routetarget.Distinguisher
	Prefix         netip.Prefix
	Label          uint32
	NextHop        netip.Addr
	LocalPref      uint32
	LastResort     bool   // LOCAL_PREF is 0: a zero alone is one that is not shown
	MED            uint32 // of what an Originator announces; tables have it in Others
	Origin         string // "igp", "egp" or "incomplete"
	ASPath         string // "[]" when it is empty, "[64513 64514]"
	Targets        routetarget.Set
	Encapsulations []vrf.Encapsulation // in the order of the router
	Communities    []string            // that Buoy sends (RFC 1997): graceful-shutdown
	Others         []string            // attributes and communities that Buoy never sends
}

// Key returns what tells routes apart, as routers print it.
func (r Route) Key() string {
	if r.RD.IsZero() {
		return r.Prefix.String()
	}
	return vrf.Key{RD: r.RD, Prefix: r.Prefix}.String()
}

// Family returns the VPN family of the route.
func (r Route) Family() Family {
	if r.Prefix.Addr().Is6() {
		return VPNv6
	}
	return VPNv4
}

// String returns all that the router shows, in one line.
func (r Route) String() string {
	text := []string{r.Key()}
	add := func(shown bool, format string, value any) {
		if shown {
			text = append(text, fmt.Sprintf(format, value))
		}
	}
	add(r.Label != 0, "label %d", r.Label)
	add(r.NextHop.IsValid(), "next-hop %s", r.NextHop)
	add(r.LocalPref != 0 || r.LastResort, "local-pref %d", r.LocalPref)
	add(r.Origin != "", "origin %s", r.Origin)
	add(r.ASPath != "", "as-path %s", r.ASPath)
	text = append(text, r.Targets.Strings()...)
	for _, e := range r.Encapsulations {
		text = append(text, encapsulationName(e))
	}
	text = append(text, r.Communities...)
	text = append(text, r.Others...)
	return strings.Join(text, " ")
}

func (r *Route) setLocalPref(n uint32) { r.LocalPref, r.LastResort = n, n == 0 }

// addCommunity adds one of RFC 1997.
func (r *Route) addCommunity(c uint32) {
	if c == gracefulShutdown {
		r.Communities = append(r.Communities, "graceful-shutdown")
		return
	}
	r.Others = append(r.Others, fmt.Sprintf("community:%d:%d", c>>16, c&0xffff))
}

// addNamedCommunity adds one of RFC 1997 of a router that has a name for
// GRACEFUL_SHUTDOWN.
func (r *Route) addNamedCommunity(c, name string) {
	if c == name {
		r.addCommunity(gracefulShutdown)
		return
	}
	r.Others = append(r.Others, "community:"+c)
}

// gracefulShutdown is a community (RFC 8326 §3.1).
const gracefulShutdown = 0xffff0000

func encapsulationName(e vrf.Encapsulation) string {
	if name := vrf.NewEncapsulations(e).String(); name != "" {
		return "encapsulation:" + name
	}
	return fmt.Sprintf("encapsulation:%d", e)
}

// sortRoutes orders routes by their text.
func sortRoutes(routes []Route) {
	type line struct {
		text  string
		route Route
	}
	lines := make([]line, len(routes))
	for i, r := range routes {
		lines[i] = line{r.String(), r}
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.text, b.text) })
	for i, l := range lines {
		routes[i] = l.route
	}
}

// Text returns the routes, each in a line of its own.
func Text(routes []Route) string {
	var b strings.Builder
	for _, r := range routes {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}
