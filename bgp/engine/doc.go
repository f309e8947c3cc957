// Package engine runs GoBGP's server as the BGP state machine behind bgp/wire.
//
// # Basics
//
// The engine listens on a loopback address and is always passive. It is told of
// each session before it begins, and knows it by a loopback address and a random
// TCP MD5 key of its own (wire.Link); bgp/wire connects from there on the
// router's behalf. Our routes and route target memberships go into the engine's
// global table; it advertises them to the neighbors that negotiated the family.
//
// # Caveats
//
// What the engine does to those who do not know it, and what is done here:
//
//   - Its VRFs are not used: a path added to one carries label 0, and some
//     operations on them are slow or panic. VPN routes go to the global table.
//   - A received route with our own distinguisher, prefix and a higher
//     LOCAL_PREF would make it withdraw ours. VPN routes from neighbors are
//     rejected by policy; they stay in the Adj-RIB-In. Membership is exempt:
//     the filter towards the neighbor uses what was accepted.
//   - A route whose targets change to ones that a neighbor did not ask for is
//     not withdrawn from it. Advertise withdraws first, in that case only.
//   - Deleting paths by uuid or all at once is slow or too much. Withdraw
//     deletes by path.
//   - After a lost session it refuses the neighbor for five seconds. So every
//     session is a new neighbor to it, which also begins with a clean slate.
//   - A hold time of 0 becomes a write deadline of zero seconds and ends the
//     session. bgp/wire refuses it.
//   - With Go's Multipath TCP listeners TCP MD5 silently does not work. The
//     module turns them off in go.mod.
package engine
