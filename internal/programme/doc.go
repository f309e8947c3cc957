// Package programme says what compute nodes must do: which floating IPs are theirs, and
// where the networks of those send their packets.
//
// # Basics
//
// A Follower is one stream of a compute node. Next returns the next part of what the
// node must be told: a snapshot first, or what has changed since the node was here
// before, and then what changes, without end.
//
//	inventory's log ──┐                  ┌──► Follower of cmp1 ── Next ──► its stream
//	                  ├──► Followers ────┤
//	imports' log ─────┘   (wakes those   └──► Follower of cmp2 ── Next ──► its stream
//	                       concerned)
//
// Nothing is queued. A Follower keeps its places in the two logs and the names of what
// it has told; when it is asked for more, it reads the names of what has changed since,
// and tells how that is now. What changed ten times meanwhile is told once. A node that
// is further behind than the logs gets a new snapshot. Followers reads the logs, too,
// and wakes those whose compute node or network is concerned, so that a change costs the
// others nothing; now and then it wakes all, or their places would grow too old.
//
// What was made of the routes of a prefix is kept for a while: a thousand nodes in one
// network want the same, and get the same slice, so that it is also written out once.
//
// Completeness says when the gateways have announced what they had after a start.
//
// # Caveats
//
// A route that no node knows may be told as withdrawn. A floating IP is told anew
// whenever it was written, even if the node would not see a difference.
package programme
