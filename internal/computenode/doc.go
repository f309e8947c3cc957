// Package computenode knows which compute nodes and interfaces live: it follows
// their streams, and says what counts when one is lost, comes back or flaps.
//
// # Basics
//
// Nodes is the owner of everything. Whoever serves a stream opens a Session, tells
// it what has come, and watches for its end. Readers take snapshots in constant
// time (Living), are told which places count otherwise than before (Wake, Take), or
// that something looks different (Changed).
//
//	stream ── Session ──► Nodes ──► Take: places ──► what is advertised
//	                        │  └──► Living: snapshots for the API
//	   inventory ─ policy ──┘
//	                        └─────► notes, beside the store
//
// A compute node whose liveness is session:
//
//	       Open                    silent, or ended
//	down ─────────► up ──────────────────────────────────► stale
//	 ▲               ▲ └─ Open: the older stream ends        │ │
//	 │               └───────────── Open ────────────────────┘ │
//	 └──────────────────── the stale time has passed ──────────┘
//
// While it is stale, its interfaces stay as they were reported; once it is down,
// they are forgotten. After it has come back they hold until the new stream says
// otherwise, or that it has said everything: what it did not mention is unknown
// then, which counts as down.
//
// A compute node whose liveness is none goes from up to down at once, and its
// reports are forgotten: whoever associates vouches, and only a stream that is there
// can say otherwise.
//
// An interface that flaps counts as down for a while after it has come up: see
// damping. Down is never delayed.
//
// The notes are for the next start. What was up is stale from then on, for all of
// the stale time; what was stale, for the rest of it; what was down stays down. One
// whose liveness is none has its hold time to come back before its reports are
// forgotten: that we were away is not its fault.
//
// # Caveats
//
// Times are measured by a clock that nobody sets; the wall clock is for display, and
// for the notes. When this process itself was stopped for a while, streams get that
// while on top: what they have sent has not been read yet.
//
// Notes are written behind, a fraction of a second after what they note. A crash in
// between brings back what was before.
package computenode
