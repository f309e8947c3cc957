package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// grace is how long requests under way may take when the server stops.
const grace = time.Second

// Serve answers on the listeners, gRPC and HTTP, until the context ends.
// Requests under way have a second to finish; streams end at once.
func (s *Server) Serve(ctx context.Context, listeners []Listener) error {
	if err := s.serve(ctx, listeners); err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	return nil
}

func (s *Server) serve(ctx context.Context, listeners []Listener) error {
	conn, pipe, err := inside(s.inside)
	if err != nil {
		return err
	}
	defer conn.Close()
	gateway, err := newGateway(context.WithoutCancel(ctx), conn)
	if err != nil {
		return err
	}
	web := newWeb(gateway, s.log)

	failed := make(chan error, 3*len(listeners))
	var running sync.WaitGroup
	run := func(task func() error) { running.Go(func() { failed <- task() }) }
	running.Go(func() { s.inside.Serve(pipe) }) // until Stop; a pipe does not fail
	running.Go(func() { s.watches.observer.Run(s.stopping) })
	var splits []*split
	for _, l := range listeners {
		one := newSplit(l)
		splits = append(splits, one)
		run(one.run)
		run(func() error { return s.grpc.Serve(one.grpc) })
		run(func() error { return web.Serve(one.web) })
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.health.Shutdown()
	s.endStreams()
	for _, one := range splits {
		one.close()
	}
	s.stop(web)
	running.Wait()
	s.streams.pumps.Wait()
	return err
}

// stop lets requests under way finish, those over HTTP before what they go
// through ends.
func (s *Server) stop(web *http.Server) {
	var stopping sync.WaitGroup
	stopping.Go(func() {
		hard := time.AfterFunc(grace, s.grpc.Stop)
		s.grpc.GracefulStop()
		hard.Stop()
	})
	stopping.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if web.Shutdown(ctx) != nil {
			web.Close()
		}
		s.inside.Stop()
	})
	stopping.Wait()
}
