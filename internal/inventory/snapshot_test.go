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
	fip := func(i int) string { return FloatingIPName("p", fmt.Sprint("f", i)) }
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
		snapshot := w.state.Snapshot()
		want := dump(snapshot)
		wg.Go(func() {
			for range 3 {
				if got := dump(snapshot); got != want {
					t.Errorf("the snapshot of revision %d has changed:\n got %s\nwant %s", snapshot.Revision(), got, want)
					return
				}
				if _, err := Plan(snapshot, associate(name, cmp2, "tap", 16)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
}

// TestSnapshotOfSnapshot feeds two copies of one state differently.
func TestSnapshotOfSnapshot(t *testing.T) {
	w := floating(t)
	a := w.state.Snapshot()
	b := a.Snapshot()
	before := dump(w.state)
	for i, s := range []*State{a, b} {
		f := FloatingIP{Name: web, Network: public, Address: addr("203.0.113.99")}
		if _, err := s.Apply(100+uint64(i), []Change{{floatingIPPrefix + web, put("", 0, f).Value, 100}, {Key: nodePrefix + cmp2}}); err != nil {
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
	w.do(CreateNeighbor{settings("mx1", "10.0.0.1")}, associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap0", 100))
	var got []string
	for n := range w.state.Networks() {
		got = append(got, n.Name)
		break
	}
	for n := range w.state.ComputeNodes() {
		got = append(got, n.Name)
		break
	}
	for f := range w.state.FloatingIPs() {
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
	want := []string{private, cmp1, mail, web, mail}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	all := 8 // global, two networks, two compute nodes, one neighbor, two floating IPs
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
