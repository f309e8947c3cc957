package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/api/computenode"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// What is taken away is forwarded for a while, with its way back; it opens no
// connections, and it gives way at once to what takes its place.
func TestLinger(t *testing.T) {
	m := newModel()
	n := start(t, m, filepath.Join(t.TempDir(), "programme.json"), "cp1")
	now := time.Unix(1e9, 0)
	pokes := 0
	n.linger, n.now, n.later = 10*time.Second, func() time.Time { return now }, func(time.Duration) { pokes++ }
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20), floatingIP("b", 21)}, Routes: routes{route("0.0.0.0/0", 16)}, AllFloatingIPs: true, AllRoutes: true})
	away := func(c computenode.Change[*buoyv1.NodeFloatingIP]) []*buoyv1.NodeFloatingIP {
		return []*buoyv1.NodeFloatingIP{c.New}
	}
	wants := func(when string, want bool, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if strings.Contains(m.has.String(), text) != want {
				t.Errorf("%s: %q there is %t, want %t:\n%s", when, text, !want, want, m.has)
			}
		}
	}
	wants("at first", true, "map out4 0x145eb", "label 20", "0.0.0.0/0 label 16")

	n.say(t, 0, computenode.Batch{RemovedFloatingIPs: away(floatingIP("a", 20))})
	n.say(t, 0, computenode.Batch{RemovedFloatingIPs: away(floatingIP("b", 21)), RemovedRoutes: []*buoyv1.NodeRoute{route("0.0.0.0/0", 16).New}})
	wants("a moment later", true, "label 20", "label 21", "0.0.0.0/0 label 16", "203.0.113.20")
	wants("a moment later", false, "map out4 0x145eb")
	if pokes != 2 {
		t.Errorf("asked %d times to be woken, want 2", pokes)
	}

	other := floatingIP("c", 21)
	other.New.FixedIp = "10.47.0.99"
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{other}})
	wants("with another workload behind label 21", false, "10.47.0.21")
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20)}})
	wants("given back", true, "map out4 0x145eb")
	n.say(t, 0, computenode.Batch{RemovedFloatingIPs: away(floatingIP("a", 20))})
	now = now.Add(10*time.Second - 1)
	if err := n.repair(); err != nil {
		t.Fatal(err)
	}
	wants("shortly before the end", true, "label 20")
	now = now.Add(1)
	if err := n.repair(); err != nil {
		t.Fatal(err)
	}
	wants("at the end", false, "label 20", "203.0.113.20")
}
