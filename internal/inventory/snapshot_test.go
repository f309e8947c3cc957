package inventory

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

// TestSnapshotsDoNotChange reads snapshots while the state goes on, in other
// goroutines: with the race detector this also shows that nothing is shared
// that is written.
func TestSnapshotsDoNotChange(t *testing.T) {
	w := floating(t)
	w.do(CreateNeighbor{settings("mx1", "10.0.0.1")})
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range 60 {
		name := fip(i)
		w.do(allocate(name, public, fmt.Sprintf("203.0.113.%d", 10+i)),
			associate(name, cmp1, fmt.Sprint("tap", i%20), vrf.Label(100+i%20)))
		if i >= 30 {
			w.do(Disassociate{Name: fip(i - 30)}, Release{fip(i - 30)})
		}
		w.do(UpdateNetwork{Name: public, Targets: ptr(targets(fmt.Sprint("64512:", i)))},
			UpdateComputeNode{Name: cmp1, Address: ptr(netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}))})
		if i%10 == 0 {
			w.do(Allocate{Name: name + "n", Network: public}, UpdateFloatingIP{Name: name, Direction: ptr(Egress)})
		}
		snapshot := w.state.Snapshot()
		want := dump(snapshot)
		wg.Go(func() {
			for range 3 {
				if got := dump(snapshot); got != want {
					t.Errorf("the snapshot of revision %d has changed:\n got %s\nwant %s", snapshot.Revision(), got, want)
					return
				}
				if _, err := Plan(snapshot, now, associate(name, cmp2, "tap", 16)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
}

// TestNewStateLeavesTheFileAlone reads one state while another one is made.
func TestNewStateLeavesTheFileAlone(t *testing.T) {
	file := Static{Neighbors: []*Neighbor{{Settings: settings("static", "10.0.0.9")}}}
	s := NewState(file)
	var wg sync.WaitGroup
	wg.Go(func() { NewState(file) })
	if n, ok := s.Neighbor(static); !ok || !n.ReadOnly {
		t.Errorf("got %+v", n)
	}
	wg.Wait()
}

// TestSnapshotOfSnapshot feeds two copies of one state differently.
func TestSnapshotOfSnapshot(t *testing.T) {
	w := floating(t)
	a := w.state.Snapshot()
	b := a.Snapshot()
	before := dump(w.state)
	for i, s := range []*State{a, b} {
		f := FloatingIP{Name: web, Network: public, Address: addr("203.0.113.99")}
		if _, err := s.Apply(100+uint64(i), []Change{{Key: floatingIPPrefix + web, Value: put("", 0, f).Value, Version: 100}, {Key: nodePrefix + cmp2}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := dump(w.state); got != before {
		t.Errorf("the original has changed:\n got %s\nwant %s", got, before)
	}
	if a.Revision() != 100 || b.Revision() != 101 {
		t.Errorf("revisions %d and %d, want 100 and 101", a.Revision(), b.Revision())
	}
	if _, ok := a.Holder(public, addr("203.0.113.5")); ok {
		t.Error("the copy has not taken the change")
	}
}

// TestIteratorsStop leaves every loop early.
func TestIteratorsStop(t *testing.T) {
	w := floating(t)
	w.do(CreateNeighbor{settings("mx1", "10.0.0.1")}, associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap0", 100),
		pool(poolA, "203.0.113.64/26"), pool(poolB, "203.0.113.128/25"), BindPool{devBound, poolB}, BindPool{GlobalBindingName, poolA})
	var got []string
	for n := range w.state.Networks() {
		got = append(got, n.Name)
		break
	}
	for n := range w.state.ComputeNodes() {
		got = append(got, n.Name)
		break
	}
	for f := range w.state.FloatingIPs("") {
		got = append(got, f.Name)
		break
	}
	for f := range w.state.FloatingIPsIn(public) {
		got = append(got, f.Name)
		break
	}
	for f := range w.state.FloatingIPsAt(cmp1) {
		got = append(got, f.Name)
		break
	}
	for p := range w.state.Pools() {
		got = append(got, p.Name)
		break
	}
	for p := range w.state.PoolsOf(public) {
		got = append(got, p.Name)
		break
	}
	for b := range w.state.Bindings() {
		got = append(got, b.Name)
		break
	}
	for f := range w.state.FloatingIPs(mail + "0") { // from a name on
		got = append(got, f.Name)
	}
	want := []string{private, cmp1, mail, web, mail, poolA, poolA, GlobalBindingName, web}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	all := 12 // global, two networks, two pools, two bindings, two compute nodes, one neighbor, two floating IPs
	for stop := 1; stop <= all; stop++ {
		seen := 0
		for range w.state.Names() {
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("Names yields %d, want %d", seen, stop)
		}
	}
}

// TestSharedSnapshot plans on one snapshot from several goroutines, as those do
// that only want to know what would happen. The race detector is the judge.
func TestSharedSnapshot(t *testing.T) {
	w := floating(t)
	w.do(associate(mail, cmp1, "tap0", 0), Allocate{Name: fip("c"), Network: public})
	snapshot := w.state.Snapshot()
	want := dump(snapshot)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 20 {
				d := NewDraft(snapshot, now)
				for _, c := range []Command{
					Allocate{Name: fip(i), Network: public},
					UpdateFloatingIP{Name: mail, Direction: ptr(Ingress)},
					Release{web},
					Move{Name: mail, Association: associate(mail, cmp2, "tap0", 0).Association},
					SetGlobal{AS: 65000},
					UpdateNetwork{Name: public, External: ptr(true)},
					UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.99"))},
				} {
					if err := d.Do(c); err != nil {
						t.Errorf("%T: %v", c, err)
					}
				}
				if _, err := Plan(snapshot, now, Release{fip("c")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := dump(snapshot); got != want {
		t.Errorf("the snapshot has changed:\n got %s\nwant %s", got, want)
	}
}
