package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
)

// watchRetry is how long to wait before buoyd is asked again.
const watchRetry = time.Second

// link is what a watch knows of its connection.
type link struct {
	heard bool // buoyd has answered once
	lost  bool // and does not any more: that was said
}

// keep attempts a watch again whenever it ends, until the context does, which is no
// error. When buoyd does not know what has changed meanwhile, begin forgets where
// the watch was. What buoyd refuses at first is not attempted again.
func (a *app) keep(ctx context.Context, l *link, attempt func() error, begin func()) error {
	for {
		err := attempt()
		switch code := codeOf(err); {
		case ctx.Err() != nil:
			return nil
		case l.heard && code == codes.OutOfRange:
			fmt.Fprintln(a.stderr, "what has changed meanwhile is not known; all that there is now comes again")
			begin()
			continue
		case !l.heard || code != codes.Unavailable && code != codes.DeadlineExceeded:
			return err
		case !l.lost:
			fmt.Fprintln(a.stderr, "the connection to buoyd is lost; trying again")
			l.lost = true
		}
		select {
		case <-time.After(watchRetry):
		case <-ctx.Done():
		}
	}
}
