package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExitStatus(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{status.Error(codes.InvalidArgument, ""), 1},
		{status.Error(codes.Internal, ""), 1},
		{status.Error(codes.Unimplemented, ""), 1},
		{status.Error(codes.Canceled, ""), 1},
		{status.Error(codes.ResourceExhausted, ""), 1},
		{&usageError{}, 2},
		{fmt.Errorf("set: %w", errNothingToSet), 2},
		{status.Error(codes.NotFound, ""), 3},
		{notFound("no route"), 3},
		{status.Error(codes.Unavailable, ""), 4},
		{status.Error(codes.PermissionDenied, ""), 4},
		{status.Error(codes.Unauthenticated, ""), 4},
		{status.Error(codes.DeadlineExceeded, ""), 4},
		{context.DeadlineExceeded, 4},
		{status.Error(codes.AlreadyExists, ""), 5},
		{status.Error(codes.FailedPrecondition, ""), 5},
		{status.Error(codes.Aborted, ""), 5},
	} {
		if got := exitStatus(tt.err); got != tt.want {
			t.Errorf("exit status of %v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}

// Who cannot reach the daemon is told where it was looked for, and what to do.
func TestUnreachable(t *testing.T) {
	const hint = "\nIs it running? --server or BUOY_SERVER says where.\n"
	stale := socketPath(t)
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, server, reason string }{
		{"nothing there", "unix:///nonexistent/buoyd.sock", "no such file or directory"},
		{"nobody listens on the socket", "unix://" + stale, "connection refused"},
		{"not a socket", "unix://" + file, "connection refused"},
		{"nobody listens on the port", free.Addr().String(), "connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := buoyctl(t.Context(), tt.server, "get", "networks")
			want := outcome{exitUnreachable, "", "buoyctl: buoyd cannot be reached at " + tt.server + ": " + tt.reason + hint}
			if got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// silent returns the address of a server that takes connections and never
// answers. The channel delivers when it has taken one.
func silent(t testing.TB) (server string, connected <-chan net.Conn) {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	conns := make(chan net.Conn, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns <- conn // held, so that it stays open
		}
	}()
	return "unix://" + path, conns
}

func TestTimeout(t *testing.T) {
	server, _ := silent(t)
	got := buoyctl(t.Context(), server, "get", "networks", "--timeout", "50ms")
	want := outcome{exitUnreachable, "", "buoyctl: buoyd at " + server + " did not answer within 50ms; --timeout allows more\n"}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestInterrupt(t *testing.T) {
	server, connected := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-connected
		cancel()
	}()
	got := buoyctl(ctx, server, "get", "networks")
	if want := (outcome{exitError, "", "buoyctl: interrupted\n"}); got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// --server wins over BUOY_SERVER, and that over the default.
func TestServer(t *testing.T) {
	server := startServer(t)
	if got := buoyctl(t.Context(), "unix:///nonexistent", "get", "networks", "--server", server); got.status != exitOK {
		t.Errorf("--server: got %+v, want status 0", got)
	}
	if got := buoyctl(t.Context(), server, "get", "networks"); got.status != exitOK {
		t.Errorf("BUOY_SERVER: got %+v, want status 0", got)
	}
	help := buoyctl(t.Context(), "", "--help")
	if want := `(default "unix:///run/buoy/buoyd.sock")`; !strings.Contains(help.stdout, want) {
		t.Errorf("help: got %s, want %q in it", help.stdout, want)
	}
}

// A relative path is relative to the working directory.
func TestRelativeSocket(t *testing.T) {
	server := startServer(t)
	path := strings.TrimPrefix(server, "unix://")
	t.Chdir(filepath.Dir(path))
	if got := buoyctl(t.Context(), "unix://"+filepath.Base(path), "get", "networks"); got.status != exitOK {
		t.Errorf("got %+v, want status 0", got)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A script must not take half a list for a whole one.
func TestFullDisk(t *testing.T) {
	server := startServer(t)
	for _, args := range []string{
		"create network vn-public",
		"get networks",
		"get networks -o wide",
		"get networks -o json",
		"get networks -o yaml",
		"get networks -o name",
		"get networks vn-public -o json",
		"describe network vn-public",
		"show bgp summary",
		"delete network vn-public",
		"set global --as 64513",
		"get global",
		"version",
	} {
		var stderr bytes.Buffer
		got := run(t.Context(), strings.Fields(args), environment(server), strings.NewReader(""), full{}, &stderr)
		if want := "no space left on device\n"; got != exitError || !strings.HasSuffix(stderr.String(), want) {
			t.Errorf("%s: got status %d, %q, want %d, …%q", args, got, &stderr, exitError, want)
		}
	}
}

// Nothing of a refusal goes to stdout, and nothing of the data to stderr.
func TestStreams(t *testing.T) {
	server := startServer(t)
	for _, tt := range []struct {
		args           string
		stdout, stderr bool
	}{
		{"create network vn-public", true, false},
		{"create network vn-public", false, true},
		{"get networks -o json", true, false},
		{"get floatingips -o json", true, false},
		{"get floatingips", false, true},
		{"get nonsense", false, true},
		{"get networks --help", true, false},
		{"help get networks", true, false},
		{"completion bash", true, false},
		{"", true, false},
	} {
		got := buoyctl(t.Context(), server, strings.Fields(tt.args)...)
		if (got.stdout != "") != tt.stdout || (got.stderr != "") != tt.stderr {
			t.Errorf("%q: got %d bytes on stdout, %q on stderr; want some: %t, %t", tt.args, len(got.stdout), got.stderr, tt.stdout, tt.stderr)
		}
	}
}
