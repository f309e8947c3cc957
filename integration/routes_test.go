package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

// originator is a kind of router that announces routes, with what is particular
// about it.
type originator struct {
	kind string
	// self says that the next hop is the router's own address; it is the route's
	// otherwise.
	self   bool
	origin string // where a route says nothing of it
	// forgets says that the router comes back without its routes.
	forgets bool
	// keeps says that the end of the router is a graceful restart to it.
	keeps bool
}

var originators = []originator{
	{kind: "frr", self: true, origin: "INCOMPLETE", keeps: true},
	{kind: "bird", origin: "IGP"},
	{kind: "gobgp", origin: "INCOMPLETE", forgets: true},
}

// shown returns a route as buoyctl should show it. A router's folder has the name
// of the neighbor.
func (o originator) shown(config lab.GatewayConfig, r lab.Route) string {
	s := shownRoute{
		Prefix: r.Prefix.String(), RD: r.RD.String(), Label: r.Label, NextHop: r.NextHop.Unmap().String(), LocalPref: 100, Targets: r.Targets.Strings(),
		Origin: o.origin, ASPath: strings.Trim(r.ASPath, "[]"), MED: r.MED, Source: "neighbors/" + filepath.Base(config.Dir),
	}
	if o.self {
		s.NextHop = config.Addr.Addr().String()
	}
	if r.LocalPref != 0 {
		s.LocalPref = r.LocalPref
	}
	if r.Origin != "" {
		s.Origin = strings.ToUpper(r.Origin)
	}
	return s.String()
}

// shownRoute is what the tests read of get routes -o json.
type shownRoute struct {
	Prefix    string
	RD        string `json:"route_distinguisher"`
	Label     uint32
	NextHop   string   `json:"next_hop"`
	LocalPref uint32   `json:"local_pref"`
	Targets   []string `json:"route_targets"`
	Origin    string
	ASPath    string `json:"as_path"`
	MED       uint32
	Source    string
	Stale     bool
	State     string
	Reason    string `json:"state_reason"`
	Best      bool
	Multipath bool
	Tables    []string
}

// String returns what a router has said of the route, and whether it is stale.
func (r shownRoute) String() string {
	line := fmt.Sprintf("%s:%s label %d next-hop %s local-pref %d origin %s as-path [%s] med %d %s of %s", r.RD, r.Prefix, r.Label, r.NextHop,
		r.LocalPref, r.Origin, r.ASPath, r.MED, strings.Join(r.Targets, " "), r.Source)
	if r.Stale {
		line += " stale"
	}
	return line
}

// routes returns what get routes shows with some options.
func (w *world) routes(options string) (list []shownRoute) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.ctl("get routes "+options+" -o json")), &list); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// receivedFrom returns what is shown of the routes of a neighbor.
func (w *world) receivedFrom(neighbor string) string {
	w.t.Helper()
	var lines []string
	for _, r := range w.routes("--neighbor " + neighbor + " --direction received") {
		lines = append(lines, r.String())
	}
	return strings.Join(lines, "\n")
}

// receives waits until a route, or none, is there from mx1.
func (w *world) receives(when, want string) {
	w.t.Helper()
	w.eventually(when, func(context.Context) error {
		if got := w.receivedFrom("mx1"); got != want {
			return fmt.Errorf("got  %s\nwant %s", got, want)
		}
		return nil
	})
}

// origin returns a route of the nth VRF of a router.
func (w *world) origin(config lab.GatewayConfig, n uint16, prefix, nextHop string, targets ...string) lab.Route {
	w.t.Helper()
	return lab.Route{
		RD: routetarget.IPv4Distinguisher(config.RouterID, n), Prefix: netip.MustParsePrefix(prefix), Label: 24000 + uint32(n),
		NextHop: netip.MustParseAddr(nextHop), Targets: w.targets(targets...),
	}
}

func (w *world) targets(texts ...string) (set routetarget.Set) {
	w.t.Helper()
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		w.t.Fatal(err)
	}
	return set
}

// announce has a router announce routes, or all that it has.
func (w *world) announce(g lab.Originator, routes ...lab.Route) {
	w.t.Helper()
	if err := g.Announce(w.deadline(), routes...); err != nil {
		w.t.Fatal(err)
	}
}

// withdraw has it withdraw them.
func (w *world) withdraw(g lab.Originator, routes ...lab.Route) {
	w.t.Helper()
	if err := g.Withdraw(w.deadline(), routes...); err != nil {
		w.t.Fatal(err)
	}
}
