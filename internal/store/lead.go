package store

import "github.com/buoynet/buoy/internal/inventory"

// lead carries out requests until none is left. While one commit is under way,
// the next one is planned on its draft: the disk does not wait for the plans,
// nor the plans for the disk.
func (f *Follower) lead() {
	var ahead *inventory.Draft // shows what was committed or is under way; nil: the state does
	var air *flight
	for {
		next, together := f.gather(ahead, air)
		if air != nil && !f.land(air) {
			// What was planned on it is void.
			f.carryOut(together)
			ahead, air = nil, nil
			continue
		}
		air = nil
		if len(together) > 0 {
			ahead, air = next, f.launch(next, together)
		} else if f.resign() {
			return
		}
	}
}

// gather plans the requests that wait, and those that come while a commit is
// under way. Without one it does not wait.
func (f *Follower) gather(ahead *inventory.Draft, air *flight) (next *inventory.Draft, together []*request) {
	for {
		if more := f.take(maxTogether - len(together)); len(more) > 0 {
			if next == nil {
				next = f.after(ahead)
			}
			plan(next, more)
			together = append(together, more...)
		}
		if air == nil {
			return next, together
		}
		arrived := f.queue.arrived
		if len(together) == maxTogether {
			arrived = nil // there is no room
		}
		select {
		case <-air.landed:
			return next, together
		case <-arrived:
		}
	}
}

// take returns the requests that wait, at most so many.
func (f *Follower) take(most int) []*request {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	n := min(len(f.queue.waiting), most)
	together := f.queue.waiting[:n:n]
	f.queue.waiting = f.queue.waiting[n:]
	return together
}

// resign ends the lead if nobody waits.
func (f *Follower) resign() bool {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	f.queue.led = len(f.queue.waiting) > 0
	return !f.queue.led
}

// after returns a draft that goes on after another one.
func (f *Follower) after(ahead *inventory.Draft) *inventory.Draft {
	f.mu.Lock()
	newest := f.state.Revision()
	f.mu.Unlock()
	if ahead != nil && ahead.Revision() >= newest { // or somebody else wrote
		if next, err := ahead.Next(f.now()); err == nil {
			return next
		}
	}
	return f.Draft()
}
