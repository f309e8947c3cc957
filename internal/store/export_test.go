package store

// Queued returns how many commands wait to be planned.
func (f *Follower) Queued() int {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	return len(f.queue.waiting)
}

// Hold makes commands wait until release, which carries them out together.
// Nothing may be under way.
func (f *Follower) Hold() (release func()) {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	f.queue.led = true
	return f.lead
}
