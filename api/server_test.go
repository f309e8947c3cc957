package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestHealth(t *testing.T) {
	l := newLab(t)
	equal(t, "health", call(t, healthpb.NewHealthClient(l.conn).Check, &healthpb.HealthCheckRequest{}),
		&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING})
}

func TestReflection(t *testing.T) {
	l := newLab(t)
	stream, err := reflectpb.NewServerReflectionClient(l.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectpb.ServerReflectionRequest{MessageRequest: &reflectpb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range resp.GetListServicesResponse().GetService() {
		got = append(got, s.Name)
	}
	want := []string{"buoy.v1.ComputeNodes", "buoy.v1.ComputeStreams", "buoy.v1.Configurations", "buoy.v1.Daemon", "buoy.v1.Events", "buoy.v1.Examinations", "buoy.v1.Explanations", "buoy.v1.FloatingIPs", "buoy.v1.Globals", "buoy.v1.Neighbors", "buoy.v1.Networks", "buoy.v1.Pools", "buoy.v1.Routes", "buoy.v1.Watches",
		"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
	if !slices.Equal(got, want) {
		t.Errorf("services:\n got %q\nwant %q", got, want)
	}
}

// A request that panics ends alone.
func TestPanic(t *testing.T) {
	l := newLab(t)
	l.speaker.set(func() { l.speaker.panics = true })
	_, err := l.neighbors.ListNeighbors(t.Context(), &buoyv1.ListNeighborsRequest{})
	refusal{code: codes.Internal, text: "internal error; the daemon's log has the details"}.check(t, err)
	for _, want := range []string{"a request panicked", "method=/buoy.v1.Neighbors/ListNeighbors", "no sessions today", "view.go"} {
		if !strings.Contains(l.log.String(), want) {
			t.Errorf("log: got %s, want %q in it", l.log, want)
		}
	}
	l.speaker.set(func() { l.speaker.panics = false })
	call(t, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{})
}

// The log says which resource was changed, and by what. What was only read,
// tried or refused is not in it.
func TestChangesAreLogged(t *testing.T) {
	l := newLab(t).furnish(t)
	to2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2"}
	for _, tt := range []struct {
		do   func(context.Context) error
		want string
	}{
		{attempt(l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.100"}}}), "CreatePool name=" + poolA},
		{attempt(l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: poolA}, UpdateMask: maskOf("shared_with")}), "UpdatePool name=" + poolA},
		{attempt(l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: poolA}), "BindPool name=" + blue},
		{attempt(l.pools.UnbindPool, &buoyv1.UnbindPoolRequest{Name: blue}), "UnbindPool name=" + blue},
		{attempt(l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: poolA}), "DeletePool name=" + poolA},
		{attempt(l.floatingIPs.Move, &buoyv1.MoveRequest{Name: web1, From: cmp1, Association: to2}), "Move name=" + web1},
		{attempt(l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{FloatingIp: &buoyv1.FloatingIP{Name: web1}, UpdateMask: maskOf("direction")}), "UpdateFloatingIP name=" + web1},
		{attempt(l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public}, UpdateMask: maskOf("gateways")}), "UpdateNetwork name=" + public},
		{attempt(l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 1}, UpdateMask: maskOf("as"), ValidateOnly: true}), ""},
		{attempt(l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 1}, UpdateMask: maskOf("as")}), "UpdateGlobal name=global/bgp"},
		{attempt(l.globals.GetGlobal, &buoyv1.GetGlobalRequest{}), ""},
		{attempt(l.pools.ListPools, &buoyv1.ListPoolsRequest{}), ""},
		{attempt(l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: web1}), ""}, // refused: it is associated
		{attempt(healthpb.NewHealthClient(l.conn).List, &healthpb.HealthListRequest{}), ""},
	} {
		l.log.reset()
		_ = tt.do(t.Context())
		_, got, _ := strings.Cut(strings.TrimSpace(l.log.String()), "msg=changed method=")
		if got != tt.want {
			t.Errorf("log: got %q, want %q", l.log, tt.want)
		}
	}
}

func TestUnknownMethod(t *testing.T) {
	l := newLab(t)
	err := l.conn.Invoke(t.Context(), "/buoy.v1.Networks/Nope", &buoyv1.ListNetworksRequest{}, &buoyv1.ListNetworksResponse{})
	if got := status.Code(err); got != codes.Unimplemented {
		t.Errorf("got %v, want %v", err, codes.Unimplemented)
	}
}

func TestStatusOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want refusal
	}{
		{"deadline", context.DeadlineExceeded, refusal{code: codes.DeadlineExceeded, text: "context deadline exceeded"}},
		{"wrapped deadline", errors.Join(errors.New("wait"), context.DeadlineExceeded), refusal{code: codes.DeadlineExceeded, text: "wait\ncontext deadline exceeded"}},
		{"canceled", context.Canceled, refusal{code: codes.Canceled, text: "context canceled"}},
		{"a status", status.Error(codes.Unavailable, "later"), refusal{code: codes.Unavailable, text: "later"}},
		{"anything else", errors.New("disk full"), refusal{code: codes.Internal, text: "disk full"}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.want.check(t, statusOf(tt.err)) })
	}
}

// A request whose time is up before its commit was seen says so.
func TestExpiredRequest(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	_, err := (&networkService{view: view{Config{Inventory: l.follower}}}).CreateNetwork(ctx,
		&buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: public}})
	if got := status.Code(statusOf(err)); got != codes.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, codes.DeadlineExceeded)
	}
}

func newServer() *Server { return New(Config{Logger: slog.New(slog.DiscardHandler)}) }

// A stream that never ends does not keep the server from stopping.
func TestServeStops(t *testing.T) {
	listener := bufconn.Listen(1 << 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newServer().Serve(ctx, []Listener{listener}) }()
	conn, err := grpc.NewClient("passthrough:///buoyd", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		if got, err := watch.Recv(); err != nil || got.Status != want {
			t.Fatalf("watch: got %v, %v, want %v", got, err, want)
		}
	}
	expect(healthpb.HealthCheckResponse_SERVING)
	cancel()
	expect(healthpb.HealthCheckResponse_NOT_SERVING)
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("serve: got %v, want nil", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("serve: still running 10s after the context ended, want about 1s")
	}
}

// When one listener fails, the server ends and says why.
func TestServeFails(t *testing.T) {
	good, bad := bufconn.Listen(1<<16), brokenListener{bufconn.Listen(1 << 16)}
	err := newServer().Serve(t.Context(), []Listener{good, bad})
	if want := "serve the API: no more descriptors"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("no more descriptors") }
