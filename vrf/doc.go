// Package vrf describes virtual networks and derives the VPN routes that they
// need. It performs no I/O.
//
// # Basics
//
// A VRF is what a virtual network means to BGP: a number, the targets that it
// imports and exports, the tunnels that it allows. An Endpoint is one place
// where one of its floating IPs can be reached: a compute node, and the label
// that the node expects. RoutesOf turns endpoints into routes, and Diff tells
// what must be announced or withdrawn to get from one set of routes to
// another. Diff compares whole routes: a changed label, next hop or target is
// a change.
//
// The other way, a Received is a route that a neighbor has announced. Import
// puts it into the table of each VRF that imports one of its targets. Tables is
// what readers see of that; Rank says which routes of one prefix BGP prefers.
//
// # Caveats
//
// The distinguisher is <compute router id>:<network id>, so one floating IP on
// two compute nodes is two routes, and a gateway can balance between them. Two
// endpoints of one floating IP on one compute node would be one route; who
// builds the endpoints must not let that happen.
//
// The cost of an interior route to a next hop is not known here: it counts as
// equal, and a next hop that nobody can reach is preferred like another one.
package vrf
