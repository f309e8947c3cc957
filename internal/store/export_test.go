package store

// Queued returns how many commands wait to be planned.
func (f *Follower) Queued() int {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	return len(f.queue.waiting)
}
