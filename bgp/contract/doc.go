// Package contract is what the rest of Buoy may rely on of a BGP speaker. An
// engine that is to take the place of another has to pass it.
//
// # Basics
//
// An engine's test calls Run with a function that makes a speaker:
//
//	func TestContract(t *testing.T) {
//		contract.Run(t, func(t *testing.T, c contract.Config) contract.Speaker { … })
//	}
//
// Each clause has speakers of its own and routers that know nothing of them but
// their address: lab.Recorder, over TCP. What a router was told is compared
// whole and in order; only what may come in any order is compared as a set.
//
// No clause waits for time. That something was not sent is shown by what comes
// next: a route that is advertised for this (see world.nothingElse).
//
// # Caveats
//
// What a hostile router can do is not here, nor are the reasons for a missing
// session: bgp/wire and integration have them. The End-of-RIB of our own
// membership (RFC 4684 §6) is allowed and not asked for.
package contract
