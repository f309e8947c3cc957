// Package ribout decides what each neighbor is sent of Buoy's own routes and
// membership, and knows what it has been sent: an Adj-RIB-Out for each session
// (RFC 4271 §3.2).
//
// # Basics
//
// Table holds the routes that should be advertised, for all neighbors. Open
// makes an Out for a session that has come up. Its Next returns the messages
// that lead from what the neighbor has to what it should have: UPDATEs packed
// by equal attributes, new and changed routes before withdrawn ones, and an
// End-of-RIB (RFC 4724 §2) for each family after the first round. Our own route
// target membership (RFC 4684) goes out before all of that. A route that
// changes several times between two calls is sent once, as it is then.
//
// Outs with equal sessions that were sent the same are a group: what is written
// for the one that asks first is handed to the others too, and what was sent is
// recorded once. An Out leaves its group when something is for it alone, or when
// it is too far behind, and comes back when it has come to the same.
//
// What a neighbor should have depends on its session: the families and the IPv6
// next hops that were negotiated, and its route target membership (RFC 4684),
// which Out reads from the neighbor's UPDATEs. A refresh (RFC 2918) sends the
// routes of a family again, between marks when both sides know them (RFC 7313).
//
//	Advertise, Withdraw,           the neighbor's membership,
//	SetMembership                  ROUTE-REFRESH
//	        │                                │
//	        ▼                                ▼
//	      Table  ── which routes changed → group ── what to write → Out ── Next → the router
//
// # Caveats
//
// What Next returned counts as sent. When it cannot be written, the session is
// lost, and what was sent goes with the Out.
package ribout
