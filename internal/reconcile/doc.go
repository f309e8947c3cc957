// Package reconcile owns what is advertised and what is imported. It compares
// what the inventory says with what the speaker was given, and hands over the
// difference; and it keeps the VRFs' tables of what the neighbors announce.
//
// # Basics
//
// Loop wakes when resources change, finds the floating IPs that the change
// touches, derives their routes, and compares route by route with the table of
// what the speaker has taken. What takes the place of routes that are withdrawn is
// advertised before that, so that a floating IP that moves is never without a
// route; withdrawals wait for nothing else. The table changes only when the speaker has taken a batch. What it
// refused stays visible with its error, and is tried again with back-off; since
// it may have taken a part, a change of mind is handed over, too.
//
// Loop wakes, too, when places live or no longer do (Liveness). The floating IPs on
// those places are looked at alone, and before any other change.
//
// A floating IP that comes to a compute node is held back, with all its routes as they
// are, until the node has said that it has programmed it, if it says such things; not for
// longer than awaitAtMost, and not in the first pass.
//
// The first pass hands over every route before the first neighbor: when a
// session opens, nothing is missing.
//
//	store ── Follower ── Subscription ──► Loop.Run ──► Speaker
//	        compute nodes ── Liveness ──►    │
//	                        Table ◄──────────┘  (snapshots for readers)
//
// Imports is the way back: it wakes when neighbors announce something, or when
// the targets of networks change, and brings the tables up to that. Both loops
// write what has changed into Changes, which readers follow at their own pace.
//
//	store ── Follower ── Subscription ──► Imports.Run ◄── Adj-RIBs-In
//	                                         │
//	                   vrf.Tables ◄──────────┘
//
// # Caveats
//
// The cost of a change depends on how many floating IPs it touches, not on how
// many there are: a changed network touches all that belong to it. A changed
// import target looks at every received route, if any carries it.
package reconcile
