// Package bgp is what the rest of Buoy sees of BGP: a Speaker that is given
// routes, memberships and neighbors, and that shows the sessions.
//
// # Basics
//
// The speaker is three parts. bgp/wire faces the routers: it listens, dials,
// screens, judges and observes every message, and offers what Buoy can do.
// bgp/engine is GoBGP's state machine on a loopback address; it never meets a
// router, and keeps the sessions. bgp/ribout is our own routes and our
// membership: what each neighbor should have and has been sent. bgp/contract is
// what the rest of Buoy relies on, as tests.
//
//	router ◄──TCP──► wire ◄──loopback, TCP MD5──► engine
//	                   ▲
//	                   └───── UPDATEs ───────── ribout ◄── Advertise, Withdraw, SetMembership
//
// Start makes a speaker that has no neighbors, so routes can be handed over
// before the first session opens. Run then serves the sessions.
//
// # Caveats
//
// No GoBGP type leaves this folder.
package bgp
