package ipam

import (
	"cmp"
	"net/netip"
)

// Addresses is the taken addresses of several spaces, which are networks. An
// IPv4-mapped IPv6 address is the IPv4 address; an invalid one, or one with a
// zone, is never taken. NewAddresses makes one.
type Addresses[S cmp.Ordered] struct {
	runs *Runs[S]
}

// NewAddresses returns an empty set.
func NewAddresses[S cmp.Ordered]() *Addresses[S] { return &Addresses[S]{NewRuns[S]()} }

// Copy returns a copy that later changes of the set do not touch, nor the
// other way round. It takes constant time.
func (t *Addresses[S]) Copy() *Addresses[S] { return &Addresses[S]{t.runs.Copy()} }

// Add takes an address. It reports false when it was taken already.
func (t *Addresses[S]) Add(space S, a netip.Addr) (added bool) {
	return canBeTaken(a) && t.runs.Add(space, numberOf(a))
}

// Remove frees an address. It reports false when it was free already.
func (t *Addresses[S]) Remove(space S, a netip.Addr) (removed bool) {
	return canBeTaken(a) && t.runs.Remove(space, numberOf(a))
}

// Contains reports whether an address is taken.
func (t *Addresses[S]) Contains(space S, a netip.Addr) bool {
	return canBeTaken(a) && t.runs.Contains(space, numberOf(a))
}

// canBeTaken guards numberOf, to which the invalid address would be ::, and
// fe80::1%eth0 the same as fe80::1%eth1.
func canBeTaken(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" }

// NextFree returns the first address of a set, at or after the cursor, that is
// not taken. Behind the last address it goes on with the first one. The zero
// cursor is before all addresses. It reports false when all are taken.
func (t *Addresses[S]) NextFree(space S, in Ranges, cursor netip.Addr) (netip.Addr, bool) {
	cursor = cursor.Unmap().WithZone("")
	i := in.search(cursor)
	before, after := in.list[:i], in.list[i:]
	var rest Range // what the range around the cursor has before it
	if len(after) > 0 && after[0].First.Less(cursor) {
		rest = Range{after[0].First, cursor.Prev()}
		if a, ok := t.firstFree(space, Range{cursor, after[0].Last}); ok {
			return a, true
		}
		after = after[1:]
	}
	for _, r := range after {
		if a, ok := t.firstFree(space, r); ok {
			return a, true
		}
	}
	for _, r := range before {
		if a, ok := t.firstFree(space, r); ok {
			return a, true
		}
	}
	if rest.First.IsValid() {
		return t.firstFree(space, rest)
	}
	return netip.Addr{}, false
}

// firstFree returns the lowest address of a range that is not taken.
func (t *Addresses[S]) firstFree(space S, r Range) (netip.Addr, bool) {
	n, ok := t.runs.NextAbsent(space, numberOf(r.First), numberOf(r.Last))
	if !ok {
		return netip.Addr{}, false
	}
	return addrOf(n), true
}

// Used returns how many addresses of a set are taken, at most math.MaxUint64.
func (t *Addresses[S]) Used(space S, in Ranges) (n uint64) {
	for r := range in.All() {
		n = addSaturating(n, t.runs.Count(space, numberOf(r.First), numberOf(r.Last)))
	}
	return n
}
