package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// fakeNetworks has many networks, and remembers who asked.
type fakeNetworks struct {
	buoyv1.UnimplementedNetworksServer
	size, page int
	delay      time.Duration // of each answer

	mu       sync.Mutex
	projects [][]string // the metadata of each request
}

func (f *fakeNetworks) ListNetworks(ctx context.Context, req *buoyv1.ListNetworksRequest) (*buoyv1.ListNetworksResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	md, _ := metadata.FromIncomingContext(ctx)
	f.projects = append(f.projects, md.Get("buoy-project"))
	time.Sleep(f.delay)
	first := 0
	if req.PageToken != "" {
		if _, err := fmt.Sscanf(req.PageToken, "from %d", &first); err != nil {
			return nil, err
		}
	}
	resp := &buoyv1.ListNetworksResponse{}
	for i := first; i < min(first+f.page, f.size); i++ {
		resp.Networks = append(resp.Networks, &buoyv1.Network{Name: fmt.Sprintf("projects/default/networks/vn-%06d", i)})
	}
	if first+f.page < f.size {
		resp.NextPageToken = fmt.Sprintf("from %d", first+f.page)
	}
	return resp, nil
}

// startFake serves the networks until the test ends, and returns the address.
func startFake(t testing.TB, f *fakeNetworks) string {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	buoyv1.RegisterNetworksServer(s, f)
	start(t, func(ctx context.Context) error {
		context.AfterFunc(ctx, s.Stop)
		return s.Serve(l)
	}, nil)
	return "unix://" + path
}

// A list is whole, however many pages it has.
func TestPages(t *testing.T) {
	for _, size := range []int{0, 1, 999, 1000, 1001, 100_000} {
		f := &fakeNetworks{size: size, page: 1000}
		got := buoyctl(t.Context(), startFake(t, f), "get", "networks", "-o", "name")
		lines := strings.Fields(got.stdout)
		slices.Sort(lines)
		if names := len(slices.Compact(lines)); got.status != exitOK || names != size {
			t.Errorf("%d networks: got status %d, %d names, %q", size, got.status, names, got.stderr)
		}
		if want := max(1, (size+999)/1000); len(f.projects) != want {
			t.Errorf("%d networks: got %d requests, want %d", size, len(f.projects), want)
		}
	}
}

// --timeout is that of one request, not of a list with many pages.
func TestTimeoutOfPages(t *testing.T) {
	f := &fakeNetworks{size: 10, page: 1, delay: 50 * time.Millisecond}
	if got := buoyctl(t.Context(), startFake(t, f), "get", "networks", "--timeout", "400ms"); got.status != exitOK {
		t.Errorf("got %+v, want status 0", got)
	}
}

// Requests are for a project only if somebody named it.
func TestProject(t *testing.T) {
	for _, tt := range []struct {
		env, args string
		want      []string
	}{
		{"", "", nil},
		{"", "--project dev", []string{"dev"}},
		{"", "--project default", []string{"default"}},
		{"", "--project=", []string{""}},
		{"dev", "", []string{"dev"}},
		{"dev", "--project prod", []string{"prod"}},
		{"default", "-A", []string{"default"}},
	} {
		f := &fakeNetworks{size: 3, page: 2}
		var stdout, stderr bytes.Buffer
		env := environment(startFake(t, f), "BUOY_PROJECT", tt.env)
		status := run(t.Context(), strings.Fields("get networks "+tt.args), env, strings.NewReader(""), &stdout, &stderr)
		if status != exitOK || len(f.projects) != 2 {
			t.Errorf("%q, %q: got status %d, %d requests, %s", tt.env, tt.args, status, len(f.projects), &stderr)
		}
		for _, got := range f.projects {
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, %q: got %q, want %q", tt.env, tt.args, got, tt.want)
			}
		}
	}
}

// The environment's project is that of short names too.
func TestProjectOfEnvironment(t *testing.T) {
	var stdout, stderr bytes.Buffer
	env := environment(startServer(t), "BUOY_PROJECT", "dev")
	status := run(t.Context(), strings.Fields("create network vn-dev"), env, strings.NewReader(""), &stdout, &stderr)
	if want := "projects/dev/networks/vn-dev created, id 1\n"; status != exitOK || stdout.String() != want {
		t.Errorf("got status %d, %q, %q, want %q", status, &stdout, &stderr, want)
	}
}

func TestVersion(t *testing.T) {
	got := buoyctl(t.Context(), "", "version")
	if words := strings.Fields(got.stdout); got.status != exitOK || len(words) != 2 || words[0] != "buoyctl" {
		t.Errorf("got %+v, want buoyctl and a version", got)
	}
}

// A change that is said twice with the same id is done once, and one with an
// etag only to what has it.
func TestChangeFlags(t *testing.T) {
	server := startServer(t)
	for _, tt := range []struct {
		line   string
		status int
		stdout string
		stderr string
	}{
		{"create network vn --subnet 203.0.113.0/24 --request-id one", exitOK, "projects/default/networks/vn created, id 1\n", ""},
		{"create network vn --subnet 203.0.113.0/24 --request-id one", exitOK, "projects/default/networks/vn created, id 1\n", ""},
		{"create network vn --subnet 203.0.113.0/24 --request-id two", exitConflict, "", "buoyctl: projects/default/networks/vn exists\n"},
		{"delete network vn --request-id one", exitError, "", "buoyctl: --request-id: \"one\" was the id of another request; expected a new one\n"},
		{"delete network vn --etag old", exitConflict, "", "buoyctl: --etag: projects/default/networks/vn has changed since it was read; read it again\n"},
		{"delete network vn --etag !", exitError, "", "buoyctl: --etag: expected the etag of projects/default/networks/vn as it was read, got \"!\"\n"},
		{"delete network vn --request-id three", exitOK, "projects/default/networks/vn deleted\n", ""},
		{"delete network vn --request-id three", exitOK, "projects/default/networks/vn deleted\n", ""},
	} {
		if got := buoyctl(t.Context(), server, strings.Fields(tt.line)...); got != (outcome{tt.status, tt.stdout, tt.stderr}) {
			t.Errorf("%s:\n got %+v\nwant %d %q %q", tt.line, got, tt.status, tt.stdout, tt.stderr)
		}
	}
}
