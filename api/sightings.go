package api

// keptSightings is how many sightings a watcher may be behind.
const keptSightings = 1 << 14

// sightings is a log of names of resources that were seen to be different. It is
// guarded by observer.mu.
type sightings struct {
	ring     []string
	next     uint64        // the number of sightings ever
	advanced chan struct{} // closed at the next one
}

// last returns the number of sightings up to now.
func (o *observer) last() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.next
}

// since returns the names of what was seen to be different behind a sighting, and
// the last sighting. It reports false for one that is too old. The channel is closed
// at the next one.
func (o *observer) since(sighting uint64) (names []string, last uint64, more <-chan struct{}, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if sighting > o.next || o.next-sighting > uint64(len(o.ring)) {
		return nil, o.next, o.advanced, false
	}
	for n := sighting; n < o.next; n++ {
		names = append(names, o.ring[n%keptSightings])
	}
	return names, o.next, o.advanced, true
}

// note adds sightings. The caller holds o.mu.
func (o *observer) note(names ...string) {
	if len(names) == 0 {
		return
	}
	for _, name := range names {
		if len(o.ring) < keptSightings {
			o.ring = append(o.ring, name)
		} else {
			o.ring[o.next%keptSightings] = name
		}
		o.next++
	}
	close(o.advanced)
	o.advanced = make(chan struct{})
}
