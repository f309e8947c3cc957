package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/buoynet/buoy/internal/history"
)

// authors puts into the context of each request who makes it, for the history.
func authors(peerOf func(ctx context.Context) (who, agent string)) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		who, agent := peerOf(ctx)
		return handler(history.By(ctx, history.Author{
			Who: who, Agent: agent, Project: string(viewerOf(ctx)), Method: methodName(info.FullMethod),
		}), req)
	}
}

// methodName makes FloatingIPs.Associate of /buoy.v1.FloatingIPs/Associate.
func methodName(full string) string {
	service, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	return service[strings.LastIndexByte(service, '.')+1:] + "." + method
}

// peerInfo is who has made a connection.
type peerInfo struct {
	credentials.CommonAuthInfo
	who string
}

func (peerInfo) AuthType() string { return "peer" }

// peers are credentials that ask nothing of a client: they note who it is.
type peers struct{}

func (peers) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, peerInfo{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}, whoIs(conn)}, nil
}

func (peers) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, fmt.Errorf("peers: for servers only")
}

func (peers) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "insecure"}
}
func (peers) Clone() credentials.TransportCredentials { return peers{} }
func (peers) OverrideServerName(string) error         { return nil }

// whoIs says who is at the other end of a connection: of a Unix socket the user and the
// process that made it (SO_PEERCRED, unix(7)), else the address.
func whoIs(conn net.Conn) string {
	if b, ok := conn.(*begun); ok {
		conn = b.Conn
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		if host, _, err := net.SplitHostPort(conn.RemoteAddr().String()); err == nil {
			return host
		}
		return conn.RemoteAddr().String()
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return "unknown"
	}
	var c *syscall.Ucred
	if asked := raw.Control(func(fd uintptr) { c, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED) }); asked != nil || err != nil {
		return "unknown"
	}
	uid := strconv.FormatUint(uint64(c.Uid), 10)
	if u, err := user.LookupId(uid); err == nil {
		return fmt.Sprintf("%s (uid %s, pid %d)", printable(u.Username), uid, c.Pid)
	}
	return fmt.Sprintf("uid %s, pid %d", uid, c.Pid)
}

// byConnection finds who makes a gRPC request.
func byConnection(ctx context.Context) (who, agent string) {
	who = "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(peerInfo); ok {
			who = info.who
		}
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if list := md.Get("user-agent"); len(list) > 0 {
		agent = printable(list[0])
	}
	if program, _, ok := strings.Cut(agent, " grpc-"); ok {
		agent = program
	}
	return who, agent
}

// The metadata in which the gateway says who makes an HTTP request. It writes them
// itself: no header of a request becomes one of them.
const (
	peerKey  = "buoy-peer"
	agentKey = "buoy-agent"
)

// byGateway finds who makes an HTTP request, from what gatewayPeer has written.
func byGateway(ctx context.Context) (who, agent string) {
	md, _ := metadata.FromIncomingContext(ctx)
	last := func(key string) string {
		if list := md.Get(key); len(list) > 0 {
			return list[len(list)-1]
		}
		return ""
	}
	return last(peerKey), last(agentKey)
}

type connectionKey struct{}

// withPeer notes who has made a connection for HTTP.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, whoIs(conn))
}

func gatewayPeer(_ context.Context, r *http.Request) metadata.MD {
	who, _ := r.Context().Value(connectionKey{}).(string)
	return metadata.Pairs(peerKey, who, agentKey, printable(r.UserAgent()))
}

// maxAgent is how much is kept of what a program calls itself.
const maxAgent = 100

// printable leaves out what is not printable ASCII, and what is too much.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text[:min(len(text), 4*maxAgent)])
	return text[:min(len(text), maxAgent)]
}
