package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func dial(t testing.TB, server string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.Dial(server, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A client has every service but that of compute nodes, which has a socket of its
// own.
func TestServices(t *testing.T) {
	c := reflect.ValueOf(dial(t, server)).Elem()
	protoregistry.GlobalFiles.RangeFilesByPackage("buoy.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			name := string(f.Services().Get(i).Name())
			if name == "ComputeStreams" {
				continue
			}
			if field := c.FieldByName(name); !field.IsValid() || field.IsZero() {
				t.Errorf("Client has no %s: add the field, and set it in Dial", name)
			}
		}
		return true
	})
}

func TestDial(t *testing.T) {
	for _, server := range []string{"", "unix://", "unix:/run/s", "/run/s", "localhost"} {
		if _, err := client.Dial(server); err == nil || err.Error() != fmt.Sprintf("server: expected unix://PATH or HOST:PORT, got %q", server) {
			t.Errorf("%q: got %v, want what is expected", server, err)
		}
	}
	if _, err := client.Dial(server, client.WithProject("dév")); err == nil || !strings.HasPrefix(err.Error(), "project: expected ") {
		t.Errorf("a project that is not ASCII: got %v, want what is expected", err)
	}
	t.Chdir(filepath.Dir(strings.TrimPrefix(server, "unix://")))
	if _, err := dial(t, "unix://s").Networks.ListNetworks(t.Context(), &buoyv1.ListNetworksRequest{}); err != nil {
		t.Errorf("a relative path: got %v, want none", err)
	}
}

func TestDialError(t *testing.T) {
	c := dial(t, "unix:///nonexistent/s", client.WithRetry(0))
	if err := c.DialError(); err != nil {
		t.Errorf("before the first request: got %v, want nil", err)
	}
	_, err := c.Networks.ListNetworks(t.Context(), &buoyv1.ListNetworksRequest{})
	if got := c.DialError(); status.Code(err) != codes.Unavailable || !errors.Is(got, os.ErrNotExist) || got.Error() != "no such file or directory" {
		t.Errorf("got %v, %v, want UNAVAILABLE and the reason", err, got)
	}
}

func TestErrors(t *testing.T) {
	c := dial(t, server)
	_, err := c.Pools.CreatePool(t.Context(), &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: "projects/default/networks/vn-public/pools/pool-public"}})
	err = fmt.Errorf("prepare: %w", err)
	for _, tt := range []struct{ what, got, want string }{
		{"reason", client.Reason(err), "RESOURCE_EXISTS"},
		{"field", client.Field(err), "name"},
		{"resource", client.Resource(err), "projects/default/networks/vn-public/pools/pool-public"},
		{"reason of nothing", client.Reason(nil), ""},
		{"field of another error", client.Field(errors.New("x")), ""},
		{"resource of a bare status", client.Resource(status.Error(codes.NotFound, "x")), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
}

func TestProject(t *testing.T) {
	const node = "computeNodes/cmp2"
	create := &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: node, Address: "10.0.0.12"}}
	_, err := dial(t, server, client.WithProject("shop")).ComputeNodes.CreateComputeNode(t.Context(), create)
	if client.Reason(err) != "OPERATORS_ONLY" {
		t.Errorf("a project: got %v, want OPERATORS_ONLY", err)
	}
	_, err = dial(t, server, client.WithProject("")).ComputeNodes.ListComputeNodes(t.Context(), &buoyv1.ListComputeNodesRequest{})
	if client.Field(err) != "buoy-project" {
		t.Errorf("an empty project: got %v, want a refusal of buoy-project", err)
	}
}

func TestEveryPage(t *testing.T) {
	c := dial(t, server)
	all, err := client.EveryPage(func(token string) ([]*buoyv1.Pool, string, error) {
		page, err := c.Pools.ListPools(t.Context(), &buoyv1.ListPoolsRequest{PageSize: 1, PageToken: token})
		return page.GetPools(), page.GetNextPageToken(), err
	})
	if err != nil || len(all) != 1 {
		t.Errorf("got %v, %v, want one pool", all, err)
	}
}

// restarting is a server whose first answers are those of one that ends.
func restarting(t *testing.T, times int, seen func(ctx context.Context, method string, req any)) string {
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		seen(ctx, info.FullMethod, req)
		if times--; times >= 0 {
			return nil, status.Error(codes.Unavailable, "the daemon ends")
		}
		return nil, status.Error(codes.Unimplemented, "it is back")
	}))
	buoyv1.RegisterFloatingIPsServer(s, buoyv1.UnimplementedFloatingIPsServer{})
	buoyv1.RegisterDaemonServer(s, buoyv1.UnimplementedDaemonServer{})
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return "unix://" + filepath.Join(dir, "s")
}

// A request is repeated with the same id for as long as it may be, and only if
// it does no harm.
func TestRetry(t *testing.T) {
	for name, tt := range map[string]struct {
		patience time.Duration
		call     func(ctx context.Context, c *client.Client) error
		times    int
		want     codes.Code
	}{
		"read": {time.Minute, func(ctx context.Context, c *client.Client) error {
			_, err := c.FloatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
			return err
		}, 4, codes.Unimplemented},
		"with an id": {time.Minute, func(ctx context.Context, c *client.Client) error {
			_, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{Name: "a", RequestId: client.RequestID()})
			return err
		}, 4, codes.Unimplemented},
		"only tried": {time.Minute, func(ctx context.Context, c *client.Client) error {
			_, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{Name: "a", ValidateOnly: true})
			return err
		}, 4, codes.Unimplemented},
		"without an id": {time.Minute, func(ctx context.Context, c *client.Client) error {
			_, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{Name: "a"})
			return err
		}, 1, codes.Unavailable},
		"a change that has no id": {time.Minute, func(ctx context.Context, c *client.Client) error {
			_, err := c.Daemon.Shutdown(ctx, &buoyv1.ShutdownRequest{})
			return err
		}, 1, codes.Unavailable},
		"no patience": {0, func(ctx context.Context, c *client.Client) error {
			_, err := c.FloatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
			return err
		}, 1, codes.Unavailable},
		"no time": {time.Minute, func(ctx context.Context, c *client.Client) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := c.FloatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
			if code := status.Code(err); code == codes.DeadlineExceeded {
				return status.Error(codes.Unavailable, "")
			}
			return err
		}, 1, codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			ids := map[string]bool{}
			c := dial(t, restarting(t, 3, func(ctx context.Context, _ string, req any) {
				calls.Add(1)
				if named, ok := req.(interface{ GetRequestId() string }); ok {
					ids[named.GetRequestId()] = true
				}
				if md, _ := metadata.FromIncomingContext(ctx); len(md.Get("buoy-project")) != 1 {
					t.Errorf("got projects %q, want one", md.Get("buoy-project"))
				}
			}), client.WithRetry(tt.patience), client.WithProject("dev"))
			if err := tt.call(t.Context(), c); status.Code(err) != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got := int(calls.Load()); got > tt.times || got < tt.times && name != "no time" {
				t.Errorf("got %d calls, want %d", got, tt.times)
			}
			if len(ids) > 1 {
				t.Errorf("got ids %v, want one", ids)
			}
		})
	}
}

// A daemon that is away, and comes back, is waited for.
func TestAway(t *testing.T) {
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := dial(t, "unix://"+filepath.Join(dir, "s"))
	time.AfterFunc(300*time.Millisecond, func() {
		os.Symlink(strings.TrimPrefix(server, "unix://"), filepath.Join(dir, "s"))
	})
	if _, err := c.Networks.ListNetworks(t.Context(), &buoyv1.ListNetworksRequest{}); err != nil {
		t.Errorf("got %v, want an answer as soon as the daemon is there", err)
	}
}

func TestRequestID(t *testing.T) {
	if a, b := client.RequestID(), client.RequestID(); a == b || len(a) < 20 {
		t.Errorf("got %q and %q, want two that nobody else has", a, b)
	}
}
