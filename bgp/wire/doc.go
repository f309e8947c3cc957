// Package wire is the only code that faces the routers. It listens, dials,
// resolves collisions, and hands checked messages to an engine that never sees
// anything else.
//
// # Basics
//
// The engine is an always-passive BGP speaker on a loopback address. It is told
// of each session before it begins (Engine), and knows it by a loopback address
// and a TCP MD5 key of its own (Link). For each neighbor, Server.Add starts a
// peer:
//
//	Server.Run ── accept ──┐ one for each listening address
//	                       ▼
//	    peer.run ── dial ─ connection.serve ──────────────────────────┐
//	                       │ waits for the end, has the last word     │
//	                       │                                          │
//	   router ════════════ receive ── screen, judge, FSM ═══════════ engine
//	          ◄═ writer ══ session ── collision, engine, ◄════════════
//	                │                 then engine to router
//	                └═════ advertise ◄══ bgp/ribout
//
// A connection has four goroutines. receive owns what is read from the
// router. session waits until the connection is the neighbor's current one
// (RFC 4271 §6.8), connects to the engine, and then owns what is read from the
// engine. advertise waits until the session is established, and then writes our
// own routes. serve waits for the first reason to end, wakes the others, and
// only then sends the last NOTIFICATION and closes both sides. Whatever is written
// to the router goes through one writer, in whole messages.
//
// peer.mu guards the choice of the current connection and the Status.
// Everything that a peer started has ended when Server.Remove returns.
//
// # Caveats
//
// A connection is handed to the engine only after the router's OPEN, or after
// a moment without one (DelayOpen): most connections that lose a collision, and
// all that never speak BGP, do not reach it. Each session is a new neighbor to
// the engine: one that it has lost would be refused for five seconds.
//
// The engine gets a rewritten OPEN: families and AS, in the classic encoding. It
// misreads malformed ones and refuses RFC 9072. After that it gets KEEPALIVEs, also
// in place of UPDATEs, which say that the router is alive, too.
//
// A new connection replaces an established session only of a router with graceful
// restart (RFC 4724 §5), after its OPEN. Otherwise the dead session has to be
// noticed first.
package wire
