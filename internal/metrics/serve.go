package metrics

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a client: it reads slowly, or says nothing.
const (
	headerTime = 5 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 16 << 10
)

// Serve answers on listeners until the context ends, and closes them. Requests that are
// under way then are cut off: nothing is lost.
func Serve(ctx context.Context, h http.Handler, listeners []net.Listener) error {
	server := &http.Server{Handler: h, ReadTimeout: headerTime, ReadHeaderTimeout: headerTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	var group errgroup.Group
	for _, l := range listeners {
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				server.Close()
				return err
			}
			return nil
		})
	}
	return group.Wait()
}
