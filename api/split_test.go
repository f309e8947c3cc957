package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// serveOn runs a server until the test ends.
func serveOn(t testing.TB, s *Server, listeners []Listener) {
	start(t, func(ctx context.Context) error { return s.Serve(ctx, listeners) }, nil)
}

// What speaks neither protocol, or says nothing more, is let go.
func TestGarbage(t *testing.T) {
	for name, tt := range map[string]struct {
		sends string
		says  string // the beginning of the answer
		after time.Duration
	}{
		"silence":            {"", "", patience},
		"one byte":           {"P", "", patience},
		"TLS":                {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/1.1 400 Bad Request\r\n", patience}, // no line ends
		"a line of garbage":  {"\x00\xff\x00\xff\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", 0},
		"half a request":     {"GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Slow: ", "", patience},
		"half a body":        {"POST /v1/networks HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{", "HTTP/1.1 408 Request Timeout\r\n", bodyTime},
		"half a preface":     {"PRI * HTTP/2.0\r\n\r\nSM", "", patience},
		"not the preface":    {"PRI * HTTP/9.9\r\n\r\nSM\r\n\r\nwhatever this is supposed to be", "", 0},
		"preface, no more":   {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", patience},
		"idle after a reply": {"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", idleTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := bufconn.Listen(1 << 20)
				serveOn(t, newServer(), []Listener{l})
				conn, err := l.DialContext(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				begin := time.Now()
				if _, err := io.WriteString(conn, tt.sends); err != nil {
					t.Fatal(err)
				}
				answer, _ := io.ReadAll(conn) // until the server closes
				if strings.HasPrefix(tt.sends, "PRI") && tt.says == "" {
					answer = nil // gRPC may say hello and goodbye
				}
				if got := string(answer); !strings.HasPrefix(got, tt.says) || tt.says == "" && got != "" {
					t.Errorf("got %.80q, want it to begin with %q", got, tt.says)
				}
				if got := time.Since(begin); got < tt.after || got > tt.after+time.Second {
					t.Errorf("it was let go after %s, want %s", got, tt.after)
				}
			})
		})
	}
}

// A client that reads slowly, or not at all, is let go, too.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := bufconn.Listen(1 << 10)
		serveOn(t, newServer(), []Listener{l})
		conn, err := l.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(writeTime + time.Second)
		if n, _ := io.Copy(io.Discard, conn); n >= int64(len(openAPI)) {
			t.Errorf("got %d bytes, want the connection to end before all", n)
		}
	})
}

// Listeners out of descriptors are tried again.
func TestAcceptAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &tiredListener{Listener: bufconn.Listen(1 << 10), tired: 5}
		serveOn(t, newServer(), []Listener{l})
		conn, err := l.Listener.(*bufconn.Listener).DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("got %v, %v, want 404", resp, err)
		}
	})
}

type tiredListener struct {
	net.Listener
	tired int
}

func (l *tiredListener) Accept() (net.Conn, error) {
	if l.tired--; l.tired >= 0 {
		return nil, temporary{errors.New("too many open files")}
	}
	return l.Listener.Accept()
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

// Both protocols on one socket, at once, beside connections that say nothing.
func TestBothAtOnce(t *testing.T) {
	l := newLab(t).furnish(t)
	for range 20 {
		conn, err := net.Dial("unix", l.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, err := l.networks.GetNetwork(t.Context(), &buoyv1.GetNetworkRequest{Name: public}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			client := overHTTP(t, l.socket)
			for range 50 {
				resp, err := client.Get("http://buoy/v1/" + public)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("got %d, want 200", resp.StatusCode)
				}
			}
		})
	}
	all.Wait()
}

// A stop lets the requests under way finish, over gRPC and over HTTP, and does
// not wait for clients that never end theirs.
func TestStopWithRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, may := make(chan struct{}), make(chan struct{})
		server := New(Config{Logger: slog.New(slog.DiscardHandler), Shutdown: func(context.Context, bool, string) error {
			entered <- struct{}{}
			<-may
			return nil
		}})
		listener := bufconn.Listen(1 << 16)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, []Listener{listener}) }()
		dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
		conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dial))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		half, err := listener.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer half.Close()
		io.WriteString(half, "GET / HTTP/1.1\r\n")

		answers := make(chan string, 2)
		go func() {
			_, err := buoyv1.NewDaemonClient(conn).Shutdown(t.Context(), &buoyv1.ShutdownRequest{})
			answers <- describe("gRPC", err)
		}()
		web := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, "") }}}
		go func() {
			resp, err := web.Post("http://buoy/v1/daemon:shutdown", "application/json", strings.NewReader("{}"))
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					err = errors.New(resp.Status)
				}
			}
			answers <- describe("HTTP", err)
		}()
		<-entered
		<-entered
		cancel()
		synctest.Wait()
		begin := time.Now()
		time.Sleep(grace / 2)
		close(may)
		for range 2 {
			if got := <-answers; !strings.HasSuffix(got, ": ok") {
				t.Error(got)
			}
		}
		if err := <-ended; err != nil {
			t.Errorf("serve: got %v, want nil", err)
		}
		if got := time.Since(begin); got > grace+time.Second {
			t.Errorf("it took %s to stop, want %s", got, grace)
		}
	})
}

func describe(what string, err error) string {
	if err != nil {
		return what + ": " + err.Error()
	}
	return what + ": ok"
}
