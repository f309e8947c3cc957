package ribout

import "github.com/buoynet/buoy/internal/neighbor"

// progress tells those who wait that deliveries may have changed. Its Table's mutex
// guards it.
type progress struct {
	neighbor.Progress
	next chan struct{} // closed at the next step; nil while nobody waits
}

// Progress counts the steps that may have changed an answer of Delivery, after each of
// them. The channel is closed at the next one.
func (t *Table) Progress() (p neighbor.Progress, next <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.progress.next == nil {
		t.progress.next = make(chan struct{})
	}
	return t.progress.Progress, t.progress.next
}

// sent notes that a neighbor was handed what there was, which may be nothing.
func (p *progress) sent() {
	p.Sent++
	p.tell()
}

// judged notes that any route may be one that a neighbor gets by now, or does not. A
// round over all routes is such a step when it begins and when it ends.
func (p *progress) judged() {
	p.Judged++
	p.tell()
}

func (p *progress) tell() {
	if p.next != nil {
		close(p.next)
		p.next = nil
	}
}
