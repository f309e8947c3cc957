package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/vrf"
)

// fakeChanges is a log of what tests say has changed.
type fakeChanges struct {
	run string

	mu   sync.Mutex
	list []vrf.Destination
	wake chan struct{}
}

// add notes changed prefixes of a network; "" is its end.
func (c *fakeChanges) add(network uint16, prefixes ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range prefixes {
		d := vrf.Destination{VRF: network}
		if p != "" {
			d.Prefix = netip.MustParsePrefix(p)
		}
		c.list = append(c.list, d)
	}
	close(c.wake)
	c.wake = make(chan struct{})
}

func (c *fakeChanges) End() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.run, " ", len(c.list))
}

func (c *fakeChanges) Since(ctx context.Context, position string) ([]vrf.Destination, string, bool, error) {
	var run string
	var n int
	if _, err := fmt.Sscan(position, &run, &n); err != nil || run != c.run {
		return nil, "", false, err
	}
	for {
		c.mu.Lock()
		list, wake := c.list[n:], c.wake
		c.mu.Unlock()
		if len(list) > 0 {
			return list, fmt.Sprint(run, " ", n+len(list)), true, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, "", true, ctx.Err()
		}
	}
}

// screen is what a program that runs has written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take waits until there is a text, and takes everything away.
func (s *screen) take(t testing.TB, until string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		text := s.text.String()
		if strings.Contains(text, until) {
			s.text.Reset()
			s.mu.Unlock()
			return text
		}
		s.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("got %q, want %q in it", text, until)
		}
	}
}

// running is buoyctl while it runs.
type running struct {
	stdout, stderr screen
	interrupt      context.CancelFunc
	status         chan int
}

func runBuoyctl(t testing.TB, server, line string) *running {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := &running{interrupt: cancel, status: make(chan int, 1)}
	go func() {
		r.status <- run(ctx, strings.Fields(line), environment(server), strings.NewReader(""), &r.stdout, &r.stderr)
	}()
	return r
}

func must(t testing.TB, server, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if got := buoyctl(t.Context(), server, strings.Fields(line)...); got.status != exitOK {
			t.Fatalf("%s: got %+v", line, got)
		}
	}
}

const watched = `create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003
create network vn-empty
create computenode cmp1 --address 10.0.0.11
create neighbor peer --address 10.0.0.3 --as 64512 --max-received 2
allocate floatingip web-1 --network vn-public --address 203.0.113.5
associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 100
`

func TestWatch(t *testing.T) {
	s := serveAt(t, socketPath(t), "")
	must(t, s.address, watched)
	w := runBuoyctl(t, s.address, "get routes --network vn-public -w")
	const begin = `TABLE              BEST   PREFIX            RD            NEXT-HOP    LABEL   TARGETS                                   STATE        SOURCE
vn-public.inet.0   *      203.0.113.5/32    10.0.0.11:1   10.0.0.11   100     target:64512:10003,target:64512:8000001   advertised   web-1
vn-public.inet.0   -      192.0.2.0/24      64513:7       10.0.0.3    3       target:64512:10003                        unusable     peer
vn-public.inet.0   *      198.51.100.0/24   64513:7       10.0.0.3    25001   target:64512:10003                        received     peer
`
	if got := w.stdout.take(t, "198.51.100.0/24"); got != begin {
		t.Errorf("got\n%swant\n%s", got, begin)
	}
	must(t, s.address, "disassociate floatingip web-1\nset neighbor peer --max-received 10")
	s.changes.add(1, "203.0.113.5/32", "198.51.100.0/24")
	const changed = `vn-public.inet.0   -      203.0.113.5/32    -             -           -       -                                         gone         -
vn-public.inet.0   *      198.51.100.0/24   64513:7       10.0.0.3    25001   target:64512:10003                        received     peer
vn-public.inet.0   -      198.51.100.0/24   64513:8       10.0.0.3    25002   target:64512:10003                        stale        peer
`
	if got := w.stdout.take(t, "stale"); got != changed {
		t.Errorf("got\n%swant\n%s", got, changed)
	}
	w.interrupt()
	if status := <-w.status; status != exitOK || w.stderr.text.Len() > 0 {
		t.Errorf("interrupted: got status %d, %s", status, &w.stderr.text)
	}
}

// Each line is one prefix, for a project without the neighbors.
func TestWatchJSON(t *testing.T) {
	s := serveAt(t, socketPath(t), "")
	must(t, s.address, watched)
	w := runBuoyctl(t, s.address, "get routes --watch -o json --project default")
	got := w.stdout.take(t, "198.51.100.0/24")
	if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != 3 || strings.Contains(got, "peer") ||
		!strings.HasPrefix(lines[0], `{"table":"projects/default/networks/vn-public.inet.0","network":"projects/default/networks/vn-public","prefix":"203.0.113.5/32","routes":[{"prefix":`) {
		t.Errorf("got %s", got)
	}
	for form, want := range map[string]string{"name": "projects/default/networks/vn-public.inet.0 198.51.100.0/24\n", "yaml": "---\ntable: projects/default/networks/vn-public.inet.0\n"} {
		runBuoyctl(t, s.address, "get routes --watch -o "+form).stdout.take(t, want)
	}
}

// A watch survives a restart of the daemon, and tells what is no longer there.
func TestWatchReconnects(t *testing.T) {
	path := socketPath(t)
	s := serveAt(t, path, "")
	must(t, s.address, watched)
	w := runBuoyctl(t, s.address, "get routes -w -o name")
	w.stdout.take(t, "198.51.100.0/24")
	s.stop()
	w.stderr.take(t, "the connection to buoyd is lost; trying again\n")
	s = serveAt(t, path, "")
	must(t, s.address, strings.Join(strings.SplitAfter(watched, "\n")[:4], ""))
	if got := w.stdout.take(t, "203.0.113.5/32 gone\n"); strings.Count(got, "198.51.100.0/24") > 1 {
		t.Errorf("got %q", got)
	}
	w.stderr.take(t, "all that there is now comes again\n")
	w.interrupt()
	if status := <-w.status; status != exitOK {
		t.Errorf("interrupted: got status %d", status)
	}
}

func TestWatchEnds(t *testing.T) {
	s := serveAt(t, socketPath(t), "")
	must(t, s.address, watched)
	w := runBuoyctl(t, s.address, "get routes --network vn-empty -w")
	time.Sleep(50 * time.Millisecond)
	must(t, s.address, "delete network vn-empty")
	s.changes.add(2, "")
	if status := <-w.status; status != exitNotFound || w.stderr.text.String() != "buoyctl: --network: projects/default/networks/vn-empty does not exist\n" {
		t.Errorf("deleted: got status %d, %s", status, &w.stderr.text)
	}
	for line, want := range map[string]string{
		"get routes -w 203.0.113.5":         "--watch goes with --network alone",
		"get routes -w --table inet.0":      "--watch goes with --network alone",
		"get routes -w --neighbor mx1":      "--watch goes with --network alone",
		"get routes --watch --network nope": "--network: projects/default/networks/nope does not exist",
	} {
		if got := buoyctl(t.Context(), s.address, strings.Fields(line)...); got.status == exitOK || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: got %+v", line, got)
		}
	}
}
