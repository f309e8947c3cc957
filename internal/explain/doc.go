// Package explain says why an address can be reached through the gateways, or why
// not. It performs no I/O and knows no clock.
//
// # Basics
//
// Explain looks at one Snapshot and goes the way of a floating IP, step by step:
// the network that has the address, the pool, the floating IP, its associations;
// for each of these the compute node, the interface, the route and the speaker; for
// each of these again every neighbor, from its session to the message that carried
// the route. At the end it looks for the way back. A step that fails says why, and
// what to do about it; those behind it are not looked at.
//
// It decides nothing anew. Whether there is a route, who is sent it, and why a
// session is not there is said by those who act by it: inventory.Standing,
// neighbor.Delivery, neighbor.Status.
//
// # Caveats
//
// What a gateway does with the route cannot be seen from here. An address is
// reachable as far as Buoy can see when one neighbor was sent one route for it; see
// docs/design/0016-explain.md.
package explain
