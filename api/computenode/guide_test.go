package computenode_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/buoynet/buoy/api/computenode"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestMain serves the example, which finds the socket where an agent of a user does.
func TestMain(m *testing.M) {
	status, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func withServer(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "b") // short: a socket's path has 107 bytes
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		return 1, err
	}
	s := grpc.NewServer()
	buoyv1.RegisterComputeStreamsServer(s, server{})
	go s.Serve(l)
	defer s.Stop()
	os.Setenv("BUOY_NODES", "unix://"+path)
	return run(), nil
}

// server has one floating IP and one route, for who says that all is reported.
type server struct {
	buoyv1.UnimplementedComputeStreamsServer
}

func (server) Attach(stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error {
	var err error
	send := func(m *buoyv1.AttachResponse) { err = errors.Join(err, stream.Send(m)) }
	if first, err := stream.Recv(); err != nil || first.GetHello().GetComputeNode() != "computeNodes/cmp1" {
		return fmt.Errorf("got %v, %w", first, err)
	}
	send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Welcome{Welcome: &buoyv1.Welcome{HoldTime: 30}}})
	for complete := false; !complete; {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		complete = m.GetReport().GetComplete()
	}
	send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_BeginOfSnapshot{BeginOfSnapshot: &buoyv1.BeginOfSnapshot{}}})
	send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Changes{Changes: &buoyv1.Changes{
		FloatingIps: []*buoyv1.NodeFloatingIP{{Name: "projects/default/floatingIps/web-1", Network: "projects/default/networks/vn-public",
			Address: "203.0.113.10", FixedIp: "10.47.255.20", Interface: "tap0", Label: 100000}},
		Routes: []*buoyv1.NodeRoute{{Network: "projects/default/networks/vn-public", Prefix: "0.0.0.0/0",
			NextHops: []*buoyv1.NextHop{{Address: "10.0.0.1", Label: 500, Encapsulations: []string{"gre"}}}}},
	}}})
	for _, part := range []buoyv1.EndOfSnapshot_Part{buoyv1.EndOfSnapshot_FLOATING_IPS, buoyv1.EndOfSnapshot_ROUTES} {
		send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_EndOfSnapshot{EndOfSnapshot: &buoyv1.EndOfSnapshot{Part: part}}})
	}
	<-stream.Context().Done()
	return err
}

// The guide shows the example that is tested here.
func TestGuide(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/integrating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "func Example() {\n")
	body, _, _ = strings.Cut(body, "\t// Output:\n")
	var want strings.Builder
	for line := range strings.Lines(body) {
		want.WriteString(strings.TrimPrefix(line, "\t"))
	}
	_, got, _ := strings.Cut(string(guide), "## Writing a compute agent\n")
	_, got, _ = strings.Cut(got, "```go\n")
	got, _, _ = strings.Cut(got, "```\n")
	if got != want.String() {
		t.Errorf("docs/integrating.md: the block of Go is not the body of Example in example_test.go; want\n%s", &want)
	}
}

// TestConfig: what cannot work is refused before anything runs.
func TestConfig(t *testing.T) {
	for want, c := range map[string]computenode.Config{
		`server: expected unix://PATH or HOST:PORT, got "localhost"`:       {Server: "localhost", Node: "cmp1"},
		`node: expected NAME or computeNodes/NAME, got ""`:                 {Server: "unix:///s"},
		`node: expected NAME or computeNodes/NAME, got "computeNodes/a/b"`: {Server: "unix:///s", Node: "computeNodes/a/b"},
		`program: expected a function`:                                     {Server: "unix:///s", Node: "computeNodes/cmp1"},
	} {
		if _, err := computenode.New(c); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
