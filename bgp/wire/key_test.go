package wire

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) neighbor.KeySource {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return neighbor.KeySource{File: path}
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MX1_KEY", "from the environment")
	for _, tt := range []struct {
		source    neighbor.KeySource
		key, fail string
	}{
		{neighbor.KeySource{}, "", ""},
		{file("plain", "secret"), "secret", ""},
		{file("newline", "secret\n"), "secret", ""},
		{file("blank", " secret \n"), " secret ", ""},
		{neighbor.KeySource{Env: "MX1_KEY"}, "from the environment", ""},
		{neighbor.KeySource{Env: "MX2_KEY"}, "", "environment variable MX2_KEY is not set"},
		{file("empty", "\n"), "", "expected a key of 1..80 bytes, got 0"},
		{file("long", strings.Repeat("x", 81)), "", "expected a key of 1..80 bytes, got 81"},
		{neighbor.KeySource{File: filepath.Join(dir, "none")}, "", "no such file or directory"},
		{neighbor.KeySource{File: "/dev/zero"}, "", "/dev/zero is not a regular file"},
		{neighbor.KeySource{File: fifo}, "", "is not a regular file"},
	} {
		key, err := readKey(tt.source)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if key != tt.key || !strings.HasSuffix(text, tt.fail) || (err == nil) != (tt.fail == "") {
			t.Errorf("%s: got %q, %q; want %q, %q", tt.source, key, text, tt.key, tt.fail)
		}
		if strings.Contains(text, "xxx") {
			t.Errorf("the key is in the error: %s", text)
		}
	}
}

func TestSignatures(t *testing.T) {
	earlier := parseSignatures("TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure\nTcpExt: 9 1 2 3\nIpExt: A\nIpExt: 1\n")
	if earlier != (signatures{missing: 1, unexpected: 2, wrong: 3, read: true}) {
		t.Errorf("read %+v", earlier)
	}
	if got := parseSignatures("TcpExt: TCPMD5NotFound TCPMD5Failure\nTcpExt: 7\n"); got != (signatures{missing: 7, read: true}) {
		t.Errorf("a short line: %+v", got)
	}
	now := signatures{missing: 2, unexpected: 5, wrong: 7}
	for keyed, want := range map[bool]string{
		true:  "4 segments with a wrong MD5 signature arrived and 1 segments without an MD5 signature arrived",
		false: "3 segments with an MD5 signature, but no key configured, arrived",
	} {
		if got := now.since(earlier, keyed); got != want {
			t.Errorf("with a key %v: %q, want %q", keyed, got, want)
		}
	}
	if got := now.since(signatures{}, true) + (signatures{}).since(now, true); got != "" {
		t.Errorf("counters that could not be read say %q", got)
	}
	if got := now.since(now, true); got != "" {
		t.Errorf("nothing happened, and %q", got)
	}
}

// keyed returns how a router opens sockets with a TCP MD5 key.
func keyed(key string) func(_, _ string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error { return setMD5(c, netip.MustParseAddr("127.0.0.1"), key) }
}

// TestKeyOfRouter: with a key, only a router that has it gets through, in both
// directions, and a key that is corrected counts at once.
func TestKeyOfRouter(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.connect = 300 * time.Millisecond })
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	lc.Control = keyed("another")
	l, err := lc.Listen(t.Context(), "tcp4", routerAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w.add(settings(func(s *neighbor.Settings) {
		s.Passive, s.Port, s.MD5Key = false, addrPort(l.Addr()).Port(), neighbor.KeySource{File: key}
	}))
	w.wait("a timeout", func(s neighbor.Status) bool {
		return strings.HasPrefix(s.Reason, "connect to "+l.Addr().String()+": timed out")
	})
	dial := func(key string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(routerAddr)}, Timeout: 300 * time.Millisecond}
		d.SetMultipathTCP(false)
		if key != "" {
			d.Control = keyed(key)
		}
		return d.Dial("tcp4", w.server.Addrs()[0].String())
	}
	for _, wrong := range []string{"", "another"} {
		if conn, err := dial(wrong); err == nil {
			conn.Close()
			t.Errorf("the key %q got through", wrong)
		}
	}
	conn, err := dial("right")
	if err != nil {
		t.Fatalf("the right key did not get through: %v", err)
	}
	conn.Close()

	if err := os.WriteFile(key, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	router := accept(t, l.(*net.TCPListener))
	router.establish("10.0.0.1")
	w.waitState(neighbor.Established)
}
