package lab

import (
	"context"
	"fmt"
	"time"
)

// pollInterval is short against what is waited for, and long against the cost
// of asking a program.
const pollInterval = 20 * time.Millisecond

// Poll asks until the condition holds or the context ends. Then the error says
// what was waited for, and what was still wrong.
func Poll(ctx context.Context, what string, condition func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last := fmt.Errorf("nothing was seen yet")
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // and not that it was cut off
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, last)
		case <-tick.C:
		}
	}
}
