package api

import (
	"context"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stream is one with a context of its own.
type stream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *stream) Context() context.Context { return s.ctx }

// guardStream does for streams what guard does for requests, and ends them when the
// server stops.
func guardStream(log *slog.Logger, stopping context.Context) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("a stream panicked", "method", info.FullMethod, "panic", p, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "internal error; the daemon's log has the details")
			}
		}()
		ctx, cancel := context.WithCancel(ss.Context())
		defer cancel()
		defer context.AfterFunc(stopping, cancel)()
		err = handler(srv, &stream{ss, ctx})
		switch {
		case err == nil:
			return nil
		case stopping.Err() != nil:
			err = ErrStopping
		}
		log.Debug("stream ended", "method", info.FullMethod, "error", err)
		return statusOf(err)
	}
}

// scopeStream hands on streams with their viewer, and refuses those that are not
// for one.
func scopeStream(inv Inventory) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		v, err := viewerIn(ss.Context())
		if err != nil {
			return err
		}
		if v == "" {
			return handler(srv, ss)
		}
		if err := v.may(rules[info.FullMethod], inv, ""); err != nil {
			return err
		}
		return discreet(handler(srv, &stream{ss, context.WithValue(ss.Context(), viewerKey{}, v)}))
	}
}
