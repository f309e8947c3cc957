// Package engine runs GoBGP's server as the BGP state machine behind bgp/wire.
//
// # Basics
//
// The engine listens on a loopback address and is always passive. It is told of
// each session before it begins, and knows it by a loopback address and a random
// TCP MD5 key of its own (wire.Link); bgp/wire connects from there on the
// router's behalf. Nothing of ours is in it: bgp/ribout sends our routes and our
// route target membership. Nor is anything of the routers': bgp/wire passes on
// OPENs and KEEPALIVEs.
//
// # Caveats
//
// What the engine does to those who do not know it, and what is done here:
//
//   - Its VRFs are not used: some operations on them are slow or panic.
//   - It would pass received routes and memberships on to other neighbors. It gets
//     none, and its policy rejects everything, in both directions.
//   - After a lost session it refuses the neighbor for five seconds. So every
//     session is a new neighbor to it, which also begins with a clean slate.
//   - A hold time of 0 becomes a write deadline of zero seconds and ends the
//     session. bgp/wire refuses it.
//   - With Go's Multipath TCP listeners TCP MD5 silently does not work. The
//     module turns them off in go.mod.
package engine
