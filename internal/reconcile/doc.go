// Package reconcile owns what is advertised: it compares what the inventory
// says with what the speaker was given, and hands over the difference.
//
// # Basics
//
// Loop wakes when resources change, finds the floating IPs that the change
// touches, derives their routes, and compares route by route with the table of
// what the speaker has taken. New and changed routes are advertised before old
// ones are withdrawn, so that a floating IP that moves is never without a
// route. The table changes only when the speaker has taken a batch. What it
// refused stays visible with its error, and is tried again with back-off; since
// it may have taken a part, a change of mind is handed over, too.
//
// The first pass hands over every route before the first neighbor: when a
// session opens, nothing is missing.
//
//	store ── Follower ── Subscription ──► Loop.Run ──► Speaker
//	                                         │
//	                        Table ◄──────────┘  (snapshots for readers)
//
// # Caveats
//
// The cost of a change depends on how many floating IPs it touches, not on how
// many there are: a changed network touches all that belong to it.
package reconcile
