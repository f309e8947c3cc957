// Package bgp is what the rest of Buoy sees of BGP: a Speaker that is given
// routes, memberships and neighbors, and that shows the sessions.
//
// # Basics
//
// The speaker is two parts. bgp/wire faces the routers: it listens, dials,
// screens and observes every message. bgp/engine is GoBGP's state machine on a
// loopback address; it never meets a router.
//
//	router ◄──TCP──► wire ◄──loopback, TCP MD5──► engine ◄── Advertise, Withdraw
//
// Start makes a speaker that has no neighbors, so routes can be handed over
// before the first session opens. Run then serves the sessions.
//
// # Caveats
//
// No GoBGP type leaves this folder.
package bgp
