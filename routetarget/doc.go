// Package routetarget owns the values that tell VPN routes apart and say who
// may import them: route targets (RFC 4360 §4) and route distinguishers
// (RFC 4364 §4.2). It performs no I/O.
//
// # Basics
//
// Target and Distinguisher are eight bytes, comparable, and the same bytes as
// on the wire. Both are an administrator and an assigned number, in one of
// three forms:
//
//	64512:10003      2-octet AS : 0..4294967295   (type 0)
//	10.0.0.11:5      IPv4 address : 0..65535      (type 1)
//	70000:5          4-octet AS : 0..65535        (type 2)
//	64512L:5         the same for an AS below 65536, as routers write it
//
// A target is printed with the prefix "target:". String and Parse are inverse
// to each other. Set is an immutable, sorted set of targets that compares
// with ==.
//
// # Caveats
//
// The zero Target is not a route target and the zero Distinguisher is the
// valid but useless 0:0; use IsZero. The same AS and number in the 2-octet and
// in the 4-octet form are two different values: a gateway does not match one
// with the other.
package routetarget
