// Package ipam allocates addresses: it knows ranges of addresses, which of
// them are taken, and which free one comes next. It performs no I/O and knows
// no clock.
//
// # Basics
//
// A Range is the addresses from a first to a last one; Ranges is a set of
// addresses, kept as few ranges as possible. Reserved, LastHosts and
// FirstHosts name the addresses of a subnet that are not for hosts, or that
// are kept for the network's own use:
//
//	pool := ipam.NewRanges(ipam.RangeOf(subnet)).Minus(ipam.Reserved(subnet))
//
// Addresses is what is taken, in several networks at once. NextFree asks it
// for the next free address of a pool at or after a cursor:
//
//	addr, ok := taken.NextFree(network, pool, cursor)
//	taken.Add(network, addr)
//
// Taken addresses are kept as runs of consecutive ones. A full /8 is one run,
// and a search goes from one run to the end of it: it takes the logarithm of
// the number of runs, however full the network is. Runs is the same for plain
// numbers.
//
// Addresses and Runs are copied in constant time; the copies share what is
// equal in both.
//
// # Caveats
//
// One owner writes, and takes the copies; a copy may be read by everybody.
//
// An IPv4-mapped IPv6 address (::ffff:203.0.113.7) is the IPv4 address to
// Addresses. No Ranges holds one: NewRanges cuts ::ffff:0:0/96 out of what
// goes across it. A zone is never part of an address here.
//
// IPv6 subnets have no broadcast address, so LastHosts begins with the very
// last one. RFC 2526 reserves the last 128 of some subnets for anycast; Reserved
// does not hold them, because hosts use them in practice.
//
// A space may be of any ordered type, but must not be NaN.
package ipam
