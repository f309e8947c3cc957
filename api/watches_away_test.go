package api

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// A token outlives the daemon, unless something was changed after it. What is
// observed may have changed meanwhile, so it is sent again.
func TestWatchesRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	l := newLabAt(t, inventory.Static{}, path).furnish(t)
	settled := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"network", "neighbor"}})
	m := l.mirror(t, "", &buoyv1.WatchRequest{})
	behind := m.token
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: devNet}})
	m.mark()
	settled.mark()
	l.stopServer()
	l.stopStore()

	l = newLabAt(t, inventory.Static{}, path)
	settled.lab, m.lab = l, l
	m.connect()
	if got, want := m.mark(), "mx1 idle web-1 web-6"; got != want {
		t.Errorf("after a restart: got %s, want what is observed: %s", got, want)
	}
	settled.connect()
	if got, want := settled.mark(), "mx1"; got != want {
		t.Errorf("after a restart: got %s, want what is observed: %s", got, want)
	}
	m.token = behind
	m.connect()
	_, err := m.stream.Recv()
	tooOld.check(t, err)
	call(t, l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: devNet})
	if got, want := settled.mark(), "-own"; got != want {
		t.Errorf("then: got %s, want %s", got, want)
	}
}

// Who reads nothing holds up nobody, and costs the daemon no memory, however much
// changes; it is told that it is too far behind.
func TestWatchesSlow(t *testing.T) {
	const floatingIPs, stuck, commits = 2000, 20, 40
	l := newLab(t)
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: public, Subnets: []string{"20.0.0.0/8"}}})
	name := func(i int) string { return fmt.Sprintf("projects/default/floatingIps/f%d", i) }
	var all inventory.Batch
	for i := range floatingIPs {
		all = append(all, inventory.Allocate{Name: name(i), Network: public})
	}
	if _, err := l.follower.Execute(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	change := func() {
		direction := inventory.Ingress
		var all inventory.Batch
		f, _ := l.follower.State().FloatingIP(name(0))
		if f.Direction == direction {
			direction = inventory.Egress
		}
		for i := range floatingIPs {
			all = append(all, inventory.UpdateFloatingIP{Name: name(i), Direction: &direction})
		}
		if _, err := l.follower.Execute(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	var slow []*mirror
	for range stuck {
		slow = append(slow, l.mirror(t, "", &buoyv1.WatchRequest{}))
	}
	fast := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"global"}})
	for range 5 {
		change()
	}
	before := heap()
	for range commits { // more names than the log keeps
		change()
	}
	call(t, l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 1}, UpdateMask: maskOf("as")})
	fast.until("another AS", func() bool { return fast.resources["global/bgp"].(*buoyv1.Global).As == 1 })
	// The log itself is 7 MB. A list that is not read lets go of its state after a while.
	grown := int64(math.MaxInt64)
	for end := time.Now().Add(time.Minute); grown > 24<<20 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		grown = int64(heap()) - int64(before)
	}
	if grown > 24<<20 {
		t.Errorf("%d watchers that do not read: the heap has grown by %d MB", stuck, grown>>20)
	}
	_, err := slow[0].stream.Recv()
	for err == nil {
		_, err = slow[0].stream.Recv()
	}
	tooOld.check(t, err)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Of what a project must not see, it gets nothing: neither a word nor a bookmark.
func TestWatchesLearnsNothing(t *testing.T) {
	with, without := tenants(t, true), tenants(t, false)
	var said []string
	for _, l := range []*lab{with, without} {
		m := l.mirror(t, "dev", &buoyv1.WatchRequest{})
		if l == with {
			call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: secretFIP})
			call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: secretFIP})
			call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: closedPool, SharedWith: []string{"ci", "other"}}, UpdateMask: maskOf("shared_with")})
			call(t, l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: closedPool})
			call(t, l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: secretNet})
		}
		call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: devFIP})
		said = append(said, m.mark())
	}
	if said[0] != "own" || said[1] != "own" {
		t.Errorf("with secrets: got %s; without: %s; want own", said[0], said[1])
	}
}
