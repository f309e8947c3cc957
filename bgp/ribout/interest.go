package ribout

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// interest is a neighbor's route target membership (RFC 4684).
type interest struct {
	nlris    map[membership]uint32 // and in which refresh each was announced last
	refresh  uint32                // the number of the neighbor's last refresh
	aged     bool                  // that refresh has not ended
	digest   uint64                // of nlris: equal ones have the same
	prefixes map[prefix]int        // of targets: how many NLRIs have it, whatever their origin
	lengths  [targetBits + 1]int   // how many prefixes have this length
}

// prefix is the first bits of a target. Those behind are zero.
type prefix struct {
	bits uint8
	b    [8]byte
}

// in reports whether the neighbor wants a route with these targets.
func (i *interest) in(targets routetarget.Set) bool {
	for bits, n := range i.lengths {
		if n == 0 {
			continue
		}
		for t := range targets.All() {
			if i.prefixes[prefixOf(t.Bytes(), bits)] > 0 {
				return true
			}
		}
	}
	return false
}

func prefixOf(b [8]byte, bits int) prefix {
	n := binary.BigEndian.Uint64(b[:]) &^ (1<<(targetBits-bits) - 1)
	binary.BigEndian.PutUint64(b[:], n)
	return prefix{uint8(bits), b}
}

// add notes an NLRI, and reports whether it is new.
func (i *interest) add(m membership) bool {
	if _, ok := i.nlris[m]; ok {
		i.nlris[m] = i.refresh
		return false
	}
	if i.nlris == nil {
		i.nlris, i.prefixes = map[membership]uint32{}, map[prefix]int{}
	}
	i.nlris[m] = i.refresh
	i.digest ^= maphash.Comparable(digestSeed, m)
	p := m.prefix()
	if i.prefixes[p]++; i.prefixes[p] == 1 {
		i.lengths[p.bits]++
	}
	return true
}

// remove forgets an NLRI, and reports whether it was there.
func (i *interest) remove(m membership) bool {
	if _, ok := i.nlris[m]; !ok {
		return false
	}
	delete(i.nlris, m)
	i.digest ^= maphash.Comparable(digestSeed, m)
	p := m.prefix()
	if i.prefixes[p]--; i.prefixes[p] == 0 {
		delete(i.prefixes, p)
		i.lengths[p.bits]--
	}
	return true
}

// digestSeed keeps neighbors from making two memberships look alike.
var digestSeed = maphash.MakeSeed()

// equal compares the NLRIs of two neighbors.
func (i *interest) equal(other *interest) bool {
	if len(i.nlris) != len(other.nlris) || i.digest != other.digest {
		return false
	}
	for m := range i.nlris {
		if _, ok := other.nlris[m]; !ok {
			return false
		}
	}
	return true
}

// age makes all NLRIs stale until they are announced again.
func (i *interest) age() { i.refresh, i.aged = i.refresh+1, true }

// dropStale forgets what is stale, and reports whether there was something.
func (i *interest) dropStale() (dropped bool) {
	if !i.aged {
		return false
	}
	for m, refresh := range i.nlris {
		if refresh != i.refresh {
			dropped = i.remove(m) || dropped
		}
	}
	i.aged = false
	return dropped
}

// MaxMemberships is how many NLRIs the membership of a neighbor may have.
const MaxMemberships = 100_000

// ReceivedUpdate reads the neighbor's membership from the body of an UPDATE,
// and lets go of the routes when it is complete. It reports false when the
// neighbor has announced more than MaxMemberships: the session has to end.
func (o *Out) ReceivedUpdate(body []byte) bool { return o.received(body, false) }

// ReceivedMalformed is ReceivedUpdate for one whose NLRIs count as withdrawn (RFC
// 7606 §2).
func (o *Out) ReceivedMalformed(body []byte) { o.received(body, true) }

func (o *Out) received(body []byte, malformed bool) bool {
	if !o.session.Families.Contains(neighbor.RouteTarget) {
		return true
	}
	u := readMembership(body)
	if malformed {
		u.withdrawn, u.announced = append(u.withdrawn, u.announced...), nil
	}
	if len(u.announced)+len(u.withdrawn) == 0 && !u.end {
		return true
	}
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	changed := false
	for _, m := range u.withdrawn {
		changed = o.interest.remove(m) || changed
	}
	for _, m := range u.announced {
		changed = o.interest.add(m) || changed
	}
	if u.end {
		o.release()
	}
	if changed { // the comparison finds exactly the difference
		o.alone().round()
	}
	if o.pending() {
		o.signal()
	}
	return len(o.interest.nlris) <= MaxMemberships
}

// EndMembership lets go of the routes although the neighbor has not said that
// its membership is complete.
func (o *Out) EndMembership() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.release()
	if o.pending() {
		o.signal()
	}
}

// release lets go of the routes. Nobody shares a group before.
func (o *Out) release() {
	if o.group.waiting {
		o.group.waiting = false
		o.table.progress.judged()
	}
}
