package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

func TestChanges(t *testing.T) {
	const toAuto = " to target:64512:8000001"
	preferred := associate(web, cmp1, 100)
	preferred.Association.Preferred = true
	gre, udp := vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.MPLSInUDP)
	for _, tt := range []struct {
		name     string
		commands []inventory.Command
		want     []string
	}{
		{"nothing", nil, nil},
		{"a network without changes", []inventory.Command{inventory.UpdateNetwork{Name: public}}, nil},
		{"subnets", []inventory.Command{inventory.UpdateNetwork{Name: public, Subnets: ptr([]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})}}, nil},
		{"the same again", []inventory.Command{disassociate(web), associate(web, cmp1, 100)}, nil},
		{"allocated", []inventory.Command{allocate("projects/p/floatingIps/x", "203.0.113.7")}, nil},
		{"label", []inventory.Command{disassociate(web), associate(web, cmp1, 101)},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 101 via 10.0.0.11" + toAuto}},
		{"preferred", []inventory.Command{disassociate(web), preferred},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 preference 200" + toAuto}},
		{"next hop", []inventory.Command{inventory.UpdateComputeNode{Name: cmp1, Address: ptr(addr("2001:db8::11"))}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 2001:db8::11" + toAuto}},
		{"compute node's encapsulations", []inventory.Command{inventory.UpdateComputeNode{Name: cmp1, Encapsulations: &udp}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 by udp" + toAuto}},
		{"network's encapsulations", []inventory.Command{inventory.UpdateNetwork{Name: public, Encapsulations: &udp}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 by udp" + toAuto}},
		{"encapsulations that come to the same", []inventory.Command{inventory.UpdateNetwork{Name: public, Encapsulations: &gre}}, nil},
		{"export targets", []inventory.Command{inventory.UpdateNetwork{Name: public, ExportTargets: ptr(targets("64512:7"))}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 to target:64512:7 target:64512:8000001"}},
		{"targets", []inventory.Command{inventory.UpdateNetwork{Name: public, Targets: ptr(targets("64512:7"))}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 to target:64512:7 target:64512:8000001",
				"membership target:64512:7 target:64512:8000001"}},
		{"moved: advertised, then withdrawn", []inventory.Command{disassociate(web), associate(web, cmp2, 100)},
			[]string{"advertise 10.0.0.12:1:203.0.113.5/32 label 100 via 10.0.0.12" + toAuto, "withdraw " + basicRoute}},
		{"moved in one step", []inventory.Command{inventory.Move{Name: web, Association: associate(web, cmp2, 100).Association}},
			[]string{"advertise 10.0.0.12:1:203.0.113.5/32 label 100 via 10.0.0.12" + toAuto, "withdraw " + basicRoute}},
		{"another AS: another automatic target", []inventory.Command{inventory.SetGlobal{AS: 64600}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 to target:64600:8000001", "membership target:64600:8000001"}},
		{"at a second node", []inventory.Command{associate(web, cmp2, 200)},
			[]string{"advertise 10.0.0.12:1:203.0.113.5/32 label 200 via 10.0.0.12" + toAuto}},
		{"router id: another key", []inventory.Command{inventory.UpdateComputeNode{Name: cmp1, RouterID: ptr(addr("10.9.9.9"))}},
			[]string{"advertise 10.9.9.9:1:203.0.113.5/32 label 100 via 10.0.0.11" + toAuto, "withdraw " + basicRoute}},
		{"draining", []inventory.Command{inventory.DrainComputeNode{Name: cmp1, Wait: time.Minute}},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 preference 0 GRACEFUL_SHUTDOWN" + toAuto}},
		{"drained", []inventory.Command{inventory.DrainComputeNode{Name: cmp1}}, []string{"withdraw " + basicRoute}},
		{"another node is drained", []inventory.Command{inventory.DrainComputeNode{Name: cmp2}}, nil},
		{"drained and back", []inventory.Command{inventory.DrainComputeNode{Name: cmp1}, inventory.UndrainComputeNode{Name: cmp1}}, nil},
		{"drained while another route comes", []inventory.Command{associate(web, cmp2, 200), inventory.DrainComputeNode{Name: cmp1}},
			[]string{"advertise 10.0.0.12:1:203.0.113.5/32 label 200 via 10.0.0.12" + toAuto, "withdraw " + basicRoute}},
		{"disassociated", []inventory.Command{disassociate(web)}, []string{"withdraw " + basicRoute}},
		{"released and allocated to another", []inventory.Command{disassociate(web), inventory.Release{Name: web}, allocate("projects/p/floatingIps/x", "203.0.113.5"), associate("projects/p/floatingIps/x", cmp1, 101)},
			[]string{"advertise 10.0.0.11:1:203.0.113.5/32 label 101 via 10.0.0.11" + toAuto}},
		{"everything goes", []inventory.Command{disassociate(web), inventory.Release{Name: web}, inventory.Release{Name: mail}, inventory.DeleteNetwork{Name: public}, inventory.DeleteComputeNode{Name: cmp1}},
			[]string{"withdraw " + basicRoute, "membership"}},
		{"the network becomes another one of the same name", []inventory.Command{disassociate(web), inventory.Release{Name: web}, inventory.Release{Name: mail}, inventory.DeleteNetwork{Name: public},
			createNetwork(public), allocate(web, "203.0.113.5"), associate(web, cmp1, 100)},
			[]string{"advertise 10.0.0.11:2:203.0.113.5/32 label 100 via 10.0.0.11 to target:64512:8000002", "withdraw " + basicRoute, "membership target:64512:8000002"}},
		{"a neighbor more", []inventory.Command{createNeighbor("mx2", "10.0.0.2")}, []string{"neighbors mx1@10.0.0.1 mx2@10.0.0.2"}},
		{"a neighbor less", []inventory.Command{inventory.DeleteNeighbor{Name: "neighbors/mx1"}}, []string{"neighbors"}},
		{"several, in the order of their addresses", []inventory.Command{associate(mail, cmp1, 101), associate(mail, cmp2, 101), associate(web, cmp2, 102)},
			[]string{"advertise 10.0.0.12:1:203.0.113.5/32 label 102 via 10.0.0.12" + toAuto +
				", 10.0.0.11:1:203.0.113.6/32 label 101 via 10.0.0.11" + toAuto +
				", 10.0.0.12:1:203.0.113.6/32 label 101 via 10.0.0.12" + toAuto}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(w *world) {
				w.expect("at first", basicCalls...)
				w.do(tt.commands...)
				w.expect(tt.name, tt.want...)
				w.settled()
			}, basics()...)
		})
	}
}

// TestFirstPass checks that everything is handed over before the first
// neighbor, in batches.
func TestFirstPass(t *testing.T) {
	const n = 2500
	run(t, func(w *world) {
		w.expect("first pass", "advertise 1000 routes", "advertise 1000 routes", "advertise 500 routes",
			"membership target:64512:8000001", "neighbors mx1@10.0.0.1")
		w.settled()
		// A change of the network touches all of them again.
		w.do(inventory.UpdateNetwork{Name: public, ExportTargets: ptr(targets("64512:7"))})
		w.expect("targets", "advertise 1000 routes", "advertise 1000 routes", "advertise 500 routes")
		w.do(inventory.UpdateComputeNode{Name: cmp1, RouterID: ptr(addr("10.9.9.9"))})
		w.expect("router id", "advertise 1000 routes", "advertise 1000 routes", "advertise 500 routes",
			"withdraw 1000 routes", "withdraw 1000 routes", "withdraw 500 routes")
		w.settled()
	}, many(n)...)
}

// many are n associated floating IPs.
func many(n int) []inventory.Command {
	commands := []inventory.Command{createNetwork(public), createNode(cmp1, "10.0.0.11"), createNeighbor("mx1", "10.0.0.1")}
	for i := range n {
		name := fmt.Sprintf("projects/p/floatingIps/f%d", i)
		commands = append(commands, allocate(name, fmt.Sprintf("203.0.%d.%d", 112+i/250, 1+i%250)), associate(name, cmp1, vrf.Label(16+i)))
	}
	return commands
}

// TestSince checks that the time belongs to the form of a route, not to the
// last pass over it.
func TestSince(t *testing.T) {
	run(t, func(w *world) {
		since := func() time.Duration {
			for _, since := range w.loop.Table().All() {
				return since.Sub(w.speaker.began)
			}
			return -1
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		w.do(inventory.UpdateNetwork{Name: public})
		if got := since(); got != 0 {
			w.T.Errorf("after a pass without changes: got %s, want 0s", got)
		}
		w.do(inventory.UpdateNetwork{Name: public, Targets: ptr(targets("64512:7"))})
		if got := since(); got != time.Minute {
			w.T.Errorf("after a change: got %s, want 1m0s", got)
		}
	}, basics()...)
}

func TestWait(t *testing.T) {
	run(t, func(w *world) {
		revision := w.now().Revision()
		if err := w.loop.Wait(w.T.Context(), revision); err != nil {
			w.T.Fatal(err)
		}
		if got := w.loop.Table().Len(); got != 1 {
			w.T.Errorf("%d routes are advertised, want 1", got)
		}
		ctx, cancel := context.WithTimeout(w.T.Context(), time.Second)
		defer cancel()
		err := w.loop.Wait(ctx, revision+1)
		if want := fmt.Sprintf("wait until revision %d is advertised: context deadline exceeded", revision+1); err == nil || err.Error() != want {
			w.T.Errorf("got %v, want %s", err, want)
		}
		waited := make(chan error)
		go func() { waited <- w.loop.Wait(context.Background(), revision+1) }()
		w.do(associate(mail, cmp1, 101))
		if err := <-waited; err != nil {
			w.T.Error(err)
		}
		if got := w.loop.Table().Len(); got != 2 {
			w.T.Errorf("%d routes are advertised, want 2", got)
		}
	}, basics()...)
}

// TestTableSnapshot reads a table while the loop goes on.
func TestTableSnapshot(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		before := w.loop.Table()
		w.do(disassociate(web), associate(mail, cmp1, 101))
		after := w.loop.Table()
		for r := range before.All() {
			if got := routeText(r); got != basicRoute {
				w.T.Errorf("got %s, want %s", got, basicRoute)
			}
			if _, _, ok := after.Get(r.Key); ok {
				w.T.Errorf("%s is still in the newer table", r.Key)
			}
			if got, since, ok := before.Get(r.Key); !ok || got != r || !since.Equal(w.speaker.began) {
				w.T.Errorf("Get: got %v since %s, want %v since %s", got, since, r, w.speaker.began)
			}
		}
		for range after.All() {
			break
		}
		if before.Len() != 1 || after.Len() != 1 {
			w.T.Errorf("%d and %d routes, want 1 and 1", before.Len(), after.Len())
		}
	}, basics()...)
}

// TestCommitted: the speaker knows since when what it is given is on disk, and that
// nobody has committed what lives.
func TestCommitted(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.committed = nil
		committed := time.Now()
		w.do(disassociate(web), associate(web, cmp1, 101))
		synctest.Wait()
		w.lives.is(cmp1, "tap101", inventory.InterfaceDown, 0)
		synctest.Wait()
		if want := []time.Time{committed, {}}; !slices.Equal(w.speaker.committed, want) {
			t.Errorf("got %v, want %v", w.speaker.committed, want)
		}
	}, basics()...)
}
