package computenode

import (
	"context"
	"sync"
	"time"
)

const (
	// watchPace is how often the clock is looked at, at least. One that has gone on
	// for longer says that this process was stopped.
	watchPace = time.Second
	lateness  = time.Second
)

// Run ends streams that are silent, and does whatever else is a matter of time,
// until the context ends. Then the notes are as they should be.
func (n *Nodes) Run(ctx context.Context) error {
	var writer sync.WaitGroup
	writer.Go(func() { n.write(ctx) })
	defer writer.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	_, planned := n.clock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.feed.Wake():
			n.follow()
		case <-timer.C:
			_, now := n.clock()
			late := now - planned
			if late < lateness {
				late = 0
			}
			n.tick(late)
			// What begins meanwhile lasts longer than that.
			wait := min(n.next(), watchPace)
			planned = now + wait
			timer.Reset(wait)
		}
	}
}
