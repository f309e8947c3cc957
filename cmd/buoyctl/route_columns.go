package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type routeColumn = column[*buoyv1.Route]

// commonColumns are those of all routes.
var commonColumns = []routeColumn{
	{"PREFIX", false, func(r *buoyv1.Route) string { return r.Prefix }},
	{"RD", false, func(r *buoyv1.Route) string { return r.RouteDistinguisher }},
	{"NEXT-HOP", false, func(r *buoyv1.Route) string { return r.NextHop }},
	{"LABEL", false, func(r *buoyv1.Route) string { return strconv.Itoa(int(r.Label)) }},
	{"TARGETS", false, func(r *buoyv1.Route) string { return strings.Join(r.RouteTargets, ",") }},
	{"STATE", false, stateOfRoute},
	{"ENCAPSULATION", true, func(r *buoyv1.Route) string { return strings.Join(r.Encapsulations, ",") }},
	{"LOCAL-PREF", true, func(r *buoyv1.Route) string { return strconv.Itoa(int(r.LocalPref)) }},
	{"COMMUNITIES", true, func(r *buoyv1.Route) string { return strings.Join(r.Communities, ",") }},
}

var (
	bestColumn   = routeColumn{"BEST", false, mark}
	sourceColumn = routeColumn{"SOURCE", false, sourceOfRoute}
	medColumn    = routeColumn{"MED", true, med}
	pathColumn   = routeColumn{"AS-PATH", true, asPath}
	ageColumn    = routeColumn{"AGE", true, routeAge}
	tablesColumn = routeColumn{"TABLES", true, func(r *buoyv1.Route) string { return strings.Join(shortTables(r), ",") }}
	reasonColumn = routeColumn{"REASON", true, func(r *buoyv1.Route) string { return r.StateReason }}
)

// advertisedColumns are those of what a neighbor was sent.
var advertisedColumns = slices.Concat(commonColumns, []routeColumn{
	{"FLOATINGIP", true, func(r *buoyv1.Route) string { return short(r.FloatingIp) }},
	{"NETWORK", true, func(r *buoyv1.Route) string { return short(r.Network) }},
	ageColumn,
})

// receivedColumns are those of routes that a neighbor has announced.
var receivedColumns = slices.Concat(commonColumns, []routeColumn{medColumn, pathColumn, ageColumn, tablesColumn, reasonColumn})

// routeColumns are those of a table; rankedColumns those of a network's, where the
// routes of a prefix compete.
var (
	routeColumns  = slices.Concat(commonColumns[:6], []routeColumn{sourceColumn}, commonColumns[6:], receivedColumns[len(commonColumns):])
	rankedColumns = slices.Concat([]routeColumn{bestColumn}, routeColumns)
)

// columnsFor returns the columns for the answer to a request.
func columnsFor(req *buoyv1.ListRoutesRequest) []routeColumn {
	switch {
	case req.Direction == buoyv1.ListRoutesRequest_RECEIVED:
		return receivedColumns
	case req.Direction == buoyv1.ListRoutesRequest_ADVERTISED:
		return advertisedColumns
	case ofNetwork(req):
		return rankedColumns
	default:
		return routeColumns
	}
}

// ofNetwork reports whether a request is for a network's table.
func ofNetwork(req *buoyv1.ListRoutesRequest) bool {
	if req.Table == "" {
		return req.Network != ""
	}
	_, family := cutTable(req.Table)
	return family != ""
}

// ours tells a route of our own from those of neighbors. Projects are not told the
// neighbor.
func ours(r *buoyv1.Route) bool {
	return r.State != buoyv1.Route_RECEIVED && r.State != buoyv1.Route_UNUSABLE
}

// mark says what a route is to its prefix, as routers do.
func mark(r *buoyv1.Route) string {
	text := ""
	if r.Best {
		text = "*"
	}
	if r.Multipath {
		text += "+"
	}
	return text
}

// sourceOfRoute returns the neighbor, or the floating IP of a route of our own.
func sourceOfRoute(r *buoyv1.Route) string { return short(cmp.Or(r.Source, r.FloatingIp)) }

// shortTables returns the tables with the short names of their networks.
func shortTables(r *buoyv1.Route) (names []string) {
	for _, t := range r.Tables {
		names = append(names, short(t))
	}
	return names
}

// stateOfRoute tells a stale route from the others.
func stateOfRoute(r *buoyv1.Route) string {
	if (r.Stale || r.LongLivedStale) && r.State == buoyv1.Route_RECEIVED {
		return "stale"
	}
	return strings.ToLower(r.State.String())
}

// asPath writes path and origin as routers do.
func asPath(r *buoyv1.Route) string {
	mark := map[string]string{"IGP": "I", "EGP": "E"}[r.Origin]
	return strings.TrimSpace(r.AsPath + " " + cmp.Or(mark, "?"))
}

// med returns the MED of a route that can have one.
func med(r *buoyv1.Route) string {
	if ours(r) {
		return ""
	}
	return strconv.FormatUint(uint64(r.Med), 10)
}

// nameOfRoute is what routers call a VPN route.
func nameOfRoute(r *buoyv1.Route) string { return r.RouteDistinguisher + ":" + r.Prefix }

func routeAge(r *buoyv1.Route) string {
	if r.Since == nil {
		return ""
	}
	return time.Since(r.Since.AsTime()).Truncate(time.Second).String()
}
