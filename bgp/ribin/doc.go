// Package ribin keeps what the neighbors have announced: an Adj-RIB-In for each
// (RFC 4271 §3.2), over its sessions.
//
// # Basics
//
// There is an In for each neighbor. The wire tells it when a session is
// established (Up) or lost (Lost), and hands it UPDATEs that have been judged.
// Routes of a neighbor with graceful restart stay as stale when its session is
// lost, until it has announced them again, or sent End-of-RIB, or the wire's
// timers say that it was too long (RFC 4724 §4.2).
//
// What the neighbor's policy does not accept, and what is more than it allows, is
// left out and counted.
//
// # Caveats
//
// What one neighbor announces has no influence on what another one is sent, nor
// on our own routes: nothing is passed on.
package ribin
