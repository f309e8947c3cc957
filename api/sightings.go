package api

import "github.com/buoynet/buoy/internal/ring"

// keptSightings is how many sightings a watcher may be behind.
const keptSightings = 1 << 14

// sightings is a log of names of resources that were seen to be different. It is
// guarded by observer.mu.
type sightings struct {
	log      ring.Ring[string]
	advanced chan struct{} // closed at the next one
}

func newSightings() sightings {
	return sightings{log: ring.New[string](keptSightings), advanced: make(chan struct{})}
}

// last returns the number of sightings up to now.
func (o *observer) last() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Next()
}

// since returns the names of what was seen to be different behind a sighting, and
// the last sighting. It reports false for one that is too old. The channel is closed
// at the next one.
func (o *observer) since(sighting uint64) (names []string, last uint64, more <-chan struct{}, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last = o.log.Next()
	if !o.log.Has(sighting) {
		return nil, last, o.advanced, false
	}
	for n := sighting; n < last; n++ {
		names = append(names, o.log.At(n))
	}
	return names, last, o.advanced, true
}

// note adds sightings. The caller holds o.mu.
func (o *observer) note(names ...string) {
	if len(names) == 0 {
		return
	}
	for _, name := range names {
		o.log.Add(name)
	}
	close(o.advanced)
	o.advanced = make(chan struct{})
}
