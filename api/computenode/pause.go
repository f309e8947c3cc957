package computenode

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// pauses are the waits between two streams. They are owned by Run.
type pauses struct {
	streams  time.Duration // the last one; 0 since a stream was welcomed
	programs time.Duration // the last one after Program failed; 0 since everything was programmed
}

// after returns how long to wait after a stream that ended in some way. Both kinds of
// waits grow apart from one another: a Welcome says nothing about Program.
func (p *pauses) after(k kind) time.Duration {
	switch k {
	case refused, replaced:
		return maxPause
	case failed:
		p.programs = next(p.programs)
		return jitter(p.programs)
	default:
		p.streams = next(p.streams)
		return jitter(p.streams)
	}
}

func next(pause time.Duration) time.Duration { return min(max(2*pause, firstPause), maxPause) }

// jitter makes a thousand agents not come back at once.
func jitter(pause time.Duration) time.Duration { return pause/2 + rand.N(pause/2) }

// wait waits, unless the context ends.
func wait(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
