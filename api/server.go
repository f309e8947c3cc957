package api

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// Inventory is where the resources are.
type Inventory interface {
	State() *inventory.State
	// Execute carries out a command durably and returns a state that shows it.
	Execute(ctx context.Context, c inventory.Command) (*inventory.State, error)
	// ShownSince returns what looks different since a revision, and the newest state.
	// It reports false for a revision that is too old, or not of this store. The
	// channel is closed at the next commit.
	ShownSince(revision uint64) (list []inventory.Shown, state *inventory.State, more <-chan struct{}, ok bool)
	// FirstRevision returns the revision that this run of the daemon began with.
	FirstRevision() uint64
}

// RouteTable is a snapshot of what the speaker has been given.
type RouteTable interface {
	// From yields the routes from a key on, in order, and since when the speaker
	// has them.
	From(key vrf.Key) iter.Seq2[vrf.Route, time.Time]
	Get(key vrf.Key) (route vrf.Route, since time.Time, ok bool)
	// Failures yields the routes from a key on that the speaker did not take, in
	// order, and why.
	Failures(from vrf.Key) iter.Seq2[vrf.Route, error]
	Failure(key vrf.Key) error
	// Awaits returns which compute node a floating IP's change waits for, and how long at
	// most: it has yet to say that it has programmed it.
	Awaits(floatingIP string) (node string, until time.Time, ok bool)
}

// Sessions is what can be seen of the BGP sessions.
type Sessions interface {
	Neighbors() []neighbor.Status
	// Changed counts the changes of their states and reasons, and their End-of-RIBs, not
	// the changes of their counters. The channel is closed at the next one.
	Changed() (count uint64, next <-chan struct{})
	// Refused returns the connections from addresses that no neighbor has.
	Refused() neighbor.Refused
	// AdjRIBOut yields what a neighbor has been sent, and when, ordered by key, from
	// one on.
	AdjRIBOut(addr netip.Addr, from vrf.Key) iter.Seq2[vrf.Route, time.Time]
	// AdjRIBIn yields what is taken of what a neighbor has announced, ordered by
	// key, from one on.
	AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received]
	// Delivery says whether a neighbor has a route as it should be now.
	Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery
	// Progress counts what may have changed an answer of Delivery, while the state of the
	// session and the route stay. The channel is closed at the next step.
	Progress() (p neighbor.Progress, next <-chan struct{})
}

// Changes is a log of which destinations in the networks' tables have changed,
// after the tables show it. One without a prefix says that a network is no more.
type Changes interface {
	// End returns the position behind the last change. Tables that are read after
	// it show at least what came before it.
	End() string
	// Since waits until there is a change behind a position, and returns what has
	// changed since, and the position behind that. It reports false for a position
	// that is too old, or of another run. The error is the context's, or says what
	// is wrong with what is no position.
	Since(ctx context.Context, position string) (changed []vrf.Destination, end string, ok bool, err error)
}

// Config is what the API serves.
type Config struct {
	Inventory Inventory
	Routes    func() RouteTable
	Imports   func() vrf.Tables // what the networks import of what neighbors announce
	Changes   Changes
	Sessions  Sessions
	Life      Life // nil: nothing is known of compute nodes, and everybody vouches
	// ComputeNodes and Programmes are for the streams of compute nodes.
	ComputeNodes ComputeNodes
	Programmes   Programmes
	Families     neighbor.Families // of a neighbor that names none
	Local        neighbor.Local    // our own side, for advice
	// Machine looks at what the daemon runs on; nil: nothing is known of it but the time.
	Machine func() doctor.Machine
	// Shutdown makes the daemon end, after it has withdrawn every route if that
	// is wanted.
	Shutdown func(ctx context.Context, withdraw bool, communication string) error
	History  History
	Logger   *slog.Logger
}

// Server is the server of Buoy, for gRPC and HTTP.
type Server struct {
	grpc   *grpc.Server
	inside *grpc.Server // the same for the gateway, which is one connection for many clients
	health *health.Server
	log    *slog.Logger

	watches *watchService
	streams *computeStreamService

	stopping   context.Context // ends the streams
	endStreams context.CancelFunc
}

// maxRequests is how many requests one connection may have under way.
const maxRequests = 64

// maxRequest lets a request with as many documents pass as there may be.
const maxRequest = 16 << 20

// New returns a server that is not serving yet.
func New(cfg Config) *Server {
	s := &Server{health: health.NewServer(), log: cfg.Logger}
	s.stopping, s.endStreams = context.WithCancel(context.Background())
	unary := func(peerOf func(context.Context) (who, agent string)) grpc.ServerOption {
		return grpc.ChainUnaryInterceptor(guard(cfg.Logger), scope(cfg.Inventory), authors(peerOf))
	}
	streams := grpc.ChainStreamInterceptor(guardStream(cfg.Logger, s.stopping), scopeStream(cfg.Inventory))
	codec := grpc.ForceServerCodecV2(newCodec())
	s.grpc = grpc.NewServer(unary(byConnection), streams, codec, grpc.Creds(peers{}), grpc.MaxConcurrentStreams(maxRequests), grpc.MaxRecvMsgSize(maxRequest), grpc.ConnectionTimeout(patience))
	s.inside = grpc.NewServer(unary(byGateway), streams, codec, grpc.MaxRecvMsgSize(maxRequest))
	s.watches = &watchService{view: view{cfg}, observer: newObserver(view{cfg}), encoded: newEncodings()}
	s.streams = newComputeStreamService(view{cfg})
	s.register(s.grpc, view{cfg})
	s.register(s.inside, view{cfg})
	return s
}

func (s *Server) register(on *grpc.Server, view view) {
	buoyv1.RegisterNetworksServer(on, &networkService{view: view})
	buoyv1.RegisterPoolsServer(on, &poolService{view: view})
	buoyv1.RegisterComputeNodesServer(on, &computeNodeService{view: view})
	buoyv1.RegisterComputeStreamsServer(on, s.streams)
	buoyv1.RegisterNeighborsServer(on, &neighborService{view: view})
	buoyv1.RegisterFloatingIPsServer(on, &floatingIPService{view: view})
	buoyv1.RegisterRoutesServer(on, &routeService{view: view})
	buoyv1.RegisterExplanationsServer(on, &explanationService{view: view})
	buoyv1.RegisterExaminationsServer(on, &examinationService{view: view})
	buoyv1.RegisterGlobalsServer(on, &globalService{view: view})
	buoyv1.RegisterConfigurationsServer(on, &configurationService{view: view})
	buoyv1.RegisterWatchesServer(on, s.watches)
	buoyv1.RegisterEventsServer(on, &eventService{view: view})
	buoyv1.RegisterDaemonServer(on, &daemonService{shutdown: view.Shutdown})
	healthpb.RegisterHealthServer(on, s.health)
	reflection.Register(on)
}

// guard turns errors into status codes, and a panic into an error: one request
// must not end the sessions with the gateways.
func guard(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("a request panicked", "method", info.FullMethod, "panic", p, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "internal error; the daemon's log has the details")
			}
		}()
		resp, err = handler(ctx, req)
		if err != nil {
			log.Debug("request refused", "method", info.FullMethod, "error", err)
			return nil, statusOf(err)
		}
		if method := path.Base(info.FullMethod); isChange(method, req, resp) {
			if _, requests := requestsIn(req); len(requests) > 0 {
				log.Info("changed", "method", method, "name", nameIn(requests[0]), "more", len(requests)-1)
			} else {
				// A request may leave out the name of what there is one of.
				log.Info("changed", "method", method, "name", cmp.Or(nameIn(req), nameIn(resp)))
			}
		}
		return resp, nil
	}
}

// isChange reports whether a request that was fulfilled has changed something.
func isChange(method string, req, resp any) bool {
	if applied, ok := resp.(*buoyv1.ApplyResponse); ok && applied.Created+applied.Updated == 0 {
		return false
	}
	if try, ok := req.(interface{ GetValidateOnly() bool }); ok && try.GetValidateOnly() {
		return false
	}
	return !strings.HasPrefix(method, "Get") && !strings.HasPrefix(method, "List") && method != "Check" && method != "Explain" && method != "Examine"
}

// nameIn returns the name of the resource that a message is about: its own
// field, or that of the resource that it carries.
func nameIn(message any) string {
	m, ok := message.(proto.Message)
	if !ok {
		return ""
	}
	if named, ok := message.(interface{ GetName() string }); ok {
		return named.GetName()
	}
	name := ""
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && !f.IsList() && !f.IsMap() {
			if named, ok := v.Message().Interface().(interface{ GetName() string }); ok {
				name = named.GetName()
			}
		}
		return name == ""
	})
	return name
}
