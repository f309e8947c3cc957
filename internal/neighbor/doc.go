// Package neighbor describes BGP neighbors: what is configured (Settings), and
// what can be seen of the session (Status). It performs no I/O.
//
// # Basics
//
// A neighbor is a gateway router. Its address identifies it: a connection from
// an address that no neighbor has is refused. A Status is a snapshot that
// names the state of RFC 4271 §8.2.2, both OPENs, the families that both
// offered, the last NOTIFICATION in each direction, and the reason why the
// session is not up.
package neighbor
