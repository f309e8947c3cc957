package wire

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/neighbor"
)

// TestTTL: a router that drops packets below a TTL takes ours only with the
// settings that raise it.
func TestTTL(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     func(*neighbor.Settings)
		minimum int // the router's
		comes   bool
	}{
		{"the usual one", func(*neighbor.Settings) {}, 64, true},
		{"the usual one is too low", func(*neighbor.Settings) {}, 65, false},
		{"multihop", func(s *neighbor.Settings) { s.Multihop = 200 }, 200, true},
		{"multihop is too low", func(s *neighbor.Settings) { s.Multihop = 200 }, 201, false},
		{"TTL security sends 255", func(s *neighbor.Settings) { s.TTLSecurity = 192 }, 255, true},
		{"the router is too far away", func(s *neighbor.Settings) { s.TTLSecurity = 191 }, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(t *timers) { t.connect = 300 * time.Millisecond })
			lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
				return raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MINTTL, tt.minimum) })
			}}
			l, err := lc.Listen(t.Context(), "tcp4", routerAddr+":0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			w.add(settings(func(s *neighbor.Settings) {
				s.Passive, s.Port = false, addrPort(l.Addr()).Port()
				tt.set(s)
			}))
			if !tt.comes {
				w.wait("a timeout", func(s neighbor.Status) bool { return strings.HasSuffix(s.Reason, "timed out") })
				return
			}
			router := accept(t, l.(*net.TCPListener))
			router.establish("10.0.0.1")
			w.waitState(neighbor.Established)
		})
	}
}

// TestLocalAddress: connections come from the configured address, and are taken
// on no other.
func TestLocalAddress(t *testing.T) {
	w := newWorld(t, nil)
	l := listenAs(t, routerAddr)
	w.add(settings(func(s *neighbor.Settings) {
		s.Passive, s.Port, s.LocalAddress = false, addrPort(l.Addr()).Port(), netip.MustParseAddr("127.0.0.44")
	}))
	router := accept(t, l)
	if from := addrPort(router.conn.RemoteAddr()).Addr().String(); from != "127.0.0.44" {
		t.Errorf("connected from %s", from)
	}
	router.conn.Close()

	w.server.Remove(netip.MustParseAddr(routerAddr))
	w.add(settings(func(s *neighbor.Settings) { s.LocalAddress = netip.MustParseAddr("127.0.0.44") }))
	w.connect(routerAddr).expectClosed()
	w.wait("the reason", func(s neighbor.Status) bool {
		return strings.HasPrefix(s.Reason, "the neighbor connected to 127.0.0.1; configured is 127.0.0.44") && s.Cause == neighbor.CauseLocalAddress
	})
}
