package api

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // the OpenAPI document
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/internal/inventory"
)

// What an HTTP request may have, and how long it may take. Its body has the
// limit of a gRPC request.
const (
	maxHeader = 64 << 10
	maxBody   = maxRequest
	// bodyTime is for the whole request, writeTime for a client to take what it
	// is sent, once more for each part of a stream.
	bodyTime  = 30 * time.Second
	writeTime = 30 * time.Second
	idleTime  = 2 * time.Minute
)

// projectHeader says in HTTP what projectKey says in gRPC.
const projectHeader = "Buoy-Project"

//go:embed openapi.json
var openAPI []byte

// newWeb returns the server for HTTP/1. Requests go to the gateway, which makes
// gRPC requests of them.
func newWeb(gateway http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           receive(notForBrowsers(withDocument(gateway))),
		ReadHeaderTimeout: patience,
		ReadTimeout:       bodyTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withPeer,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// withDocument adds the OpenAPI document.
func withDocument(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/openapi.json" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(openAPI)
	})
}

// receive reads requests as a whole before they are looked at: a client that
// sends slowly holds nothing but its own connection.
func receive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		var body []byte
		if r.ContentLength > maxBody {
			err = &http.MaxBytesError{Limit: maxBody}
		} else {
			body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		}
		if err != nil {
			refuse(w, unreadable(err))
			return
		}
		// Empty objects take three bytes here, and a hundred times as much once read.
		if len(body) > largeRequest && bytes.Count(body, []byte("{")) > maxParts {
			refuse(w, &httpError{http.StatusRequestEntityTooLarge, codes.InvalidArgument,
				invalid("body", fmt.Errorf("expected at most %d objects; make several requests of it", maxParts))})
			return
		}
		if names := r.Header.Values(projectHeader); len(names) > 0 {
			if _, err := viewerNamed(names); err != nil {
				refuse(w, err)
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Time{}) // the request is here, and a stream may take long
		next.ServeHTTP(&patient{ResponseWriter: w, control: control}, r)
	})
}

// unreadable says why a body could not be read.
func unreadable(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &httpError{http.StatusRequestEntityTooLarge, codes.InvalidArgument,
			invalid("body", fmt.Errorf("expected at most %d bytes; make several requests of it", maxBody))}
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return &httpError{http.StatusRequestTimeout, codes.DeadlineExceeded, fmt.Errorf("the request took more than %s to arrive", bodyTime)}
	default:
		return invalid("body", fmt.Errorf("read it: %w", err))
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// notForBrowsers refuses what a web page makes a browser of this machine send:
// from another site, or to a name that its owner points here.
func notForBrowsers(next http.Handler) http.Handler {
	sites := http.NewCrossOriginProtection()
	sites.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, &inventory.Error{Code: inventory.PermissionDenied, Reason: reasonCrossOrigin, Message: "a web page of another site may not do this"})
	}))
	next = sites.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); at != nil && at.Network() == "tcp" && !isHere(r.Host) {
			refuse(w, &httpError{http.StatusMisdirectedRequest, codes.PermissionDenied,
				invalid("host", fmt.Errorf("expected localhost or a loopback address, got %q", r.Host))})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isHere reports whether a Host header names this machine's loopback.
func isHere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// httpError is an error with an HTTP status of its own.
type httpError struct {
	status int
	code   codes.Code
	err    error
}

func (e *httpError) Error() string { return e.err.Error() }
func (e *httpError) Unwrap() error { return e.err }

// refuse answers with an error as google.rpc.Status.
func refuse(w http.ResponseWriter, err error) {
	s := status.Convert(statusOf(err)).Proto()
	code := httpStatusOf(codes.Code(s.Code))
	if own, ok := errors.AsType[*httpError](err); ok {
		code = own.status
		s.Code = int32(cmp.Or(own.code, codes.Code(s.Code)))
	}
	text, err := asJSON.Marshal(s)
	if err != nil {
		text = []byte(`{"code":13,"message":"the error cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(text)
}

// patient gives the client time for each part of an answer. When it takes no more
// the request ends there and then: the gateway would log an error, and a watch
// that its client ends is none.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patient) Write(p []byte) (int, error) {
	w.control.SetWriteDeadline(time.Now().Add(writeTime))
	n, err := w.ResponseWriter.Write(p)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (w *patient) FlushError() error {
	if w.control.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (w *patient) Unwrap() http.ResponseWriter { return w.ResponseWriter }
