package reconcile

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// TestBackOff counts the attempts while the speaker refuses everything.
func TestBackOff(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		w.speaker.refusing(only("advertise"))
		time.Sleep(time.Hour) // nothing is left to do
		w.expect("nothing to retry")
		w.speaker.began = time.Now()
		w.do(associate(mail, cmp1, 101))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 6300 * ms, 12700 * ms, 25500 * ms, 51100 * ms,
			81100 * ms, 111100 * ms, 141100 * ms, 171100 * ms} // twice as long each time, 30 s at most
		if got := w.speaker.times; !slices.Equal(got, want) {
			w.T.Errorf("attempts\n got %v\nwant %v", got, want)
		}
		w.speaker.said()
		const refused = "10.0.0.11:1:203.0.113.6/32 label 101 via 10.0.0.11 to target:64512:8000001"
		w.expectTable("while it is refused", []string{basicRoute}, []string{refused + ": advertise: refused"})

		w.speaker.refusing(nil)
		time.Sleep(30 * time.Second)
		w.expect("taken at last", "advertise "+refused)
		w.settled()
		time.Sleep(time.Hour)
		w.expect("and that is all")

		// The next failure begins with a short back-off again.
		w.speaker.refusing(only("withdraw"))
		w.speaker.began = time.Now()
		w.do(disassociate(mail))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.speaker.times; !slices.Equal(got, want[:4]) {
			w.T.Errorf("attempts\n got %v\nwant %v", got, want[:4])
		}
	}, basics()...)
}

func TestRefusedWithdrawal(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		w.speaker.refusing(only("withdraw"))
		w.do(disassociate(web))
		w.expect("refused", "withdraw "+basicRoute)
		w.expectTable("it is still advertised", []string{basicRoute}, nil)
		for r := range w.loop.Table().All() {
			if err := w.loop.Table().Failure(r.Key); err == nil || err.Error() != "withdraw: refused" {
				w.T.Errorf("Failure(%s) = %v", r.Key, err)
			}
		}
		w.speaker.refusing(nil)
		time.Sleep(minBackOff)
		w.expect("taken", "withdraw "+basicRoute)
		w.settled()
	}, basics()...)
}

// TestRefusedMove checks that the old route goes although the new one is
// refused: the label may belong to somebody else by now.
func TestRefusedMove(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		w.speaker.refusing(only("advertise"))
		w.do(disassociate(web), associate(web, cmp2, 200))
		const moved = "10.0.0.12:1:203.0.113.5/32 label 200 via 10.0.0.12 to target:64512:8000001"
		w.expect("refused", "advertise "+moved, "withdraw "+basicRoute)
		w.expectTable("refused", nil, []string{moved + ": advertise: refused"})
		w.speaker.refusing(nil)
		time.Sleep(minBackOff)
		w.expect("taken", "advertise "+moved)
		w.settled()
	}, basics()...)
}

// TestBothRefused checks that no part of a refused move is forgotten.
func TestBothRefused(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.refusing(func(string, []vrf.Route) error { return errRefused })
		w.do(disassociate(web), associate(web, cmp2, 200))
		time.Sleep(time.Second)
		w.speaker.refusing(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.settled()
	}, basics()...)
}

// TestUndone lets the operator take back what the speaker refuses. The speaker
// may have taken some of it all the same, so it is told once more.
func TestUndone(t *testing.T) {
	const (
		changed = "10.0.0.11:1:203.0.113.5/32 label 101 via 10.0.0.11 to target:64512:8000001"
		second  = "10.0.0.11:1:203.0.113.6/32 label 102 via 10.0.0.11 to target:64512:8000001"
	)
	for _, tt := range []struct {
		name     string
		refused  string
		do, undo []inventory.Command
		first    string
		then     []string
	}{
		{"a new route", "advertise", []inventory.Command{associate(mail, cmp1, 102)}, []inventory.Command{disassociate(mail)},
			"advertise " + second, []string{"withdraw " + second}},
		{"a changed route", "advertise", []inventory.Command{disassociate(web), associate(web, cmp1, 101)}, []inventory.Command{disassociate(web), associate(web, cmp1, 100)},
			"advertise " + changed, []string{"advertise " + basicRoute}},
		{"a withdrawal", "withdraw", []inventory.Command{disassociate(web)}, []inventory.Command{associate(web, cmp1, 100)},
			"withdraw " + basicRoute, []string{"advertise " + basicRoute}},
		{"a changed route that goes", "advertise", []inventory.Command{disassociate(web), associate(web, cmp1, 101)}, []inventory.Command{disassociate(web)},
			"advertise " + changed, []string{"withdraw " + basicRoute}},
	} {
		for _, taken := range []int{0, 1} { // of the refused batch
			t.Run(fmt.Sprintf("%s, %d taken", tt.name, taken), func(t *testing.T) {
				run(t, func(w *world) {
					synctest.Wait()
					w.speaker.said()
					w.speaker.taken = func(int) int { return taken }
					w.speaker.refusing(only(tt.refused))
					w.do(tt.do...)
					w.expect("refused", tt.first)
					w.speaker.refusing(nil)
					w.do(tt.undo...)
					w.expect("undone", tt.then...)
					w.settled()
					time.Sleep(time.Hour)
					w.expect("and that is all")
				}, basics()...)
			})
		}
	}
}

// TestPartialBatches lets one route of the second of three batches fail. The
// batch is halved until that route is alone; all others are taken.
func TestPartialBatches(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		w.speaker.taken = func(n int) int { return n / 2 }
		bad := addr("203.0.117.1") // in the second batch
		w.speaker.refusing(func(_ string, routes []vrf.Route) error {
			if slices.ContainsFunc(routes, func(r vrf.Route) bool { return r.Prefix.Addr() == bad }) {
				return errRefused
			}
			return nil
		})
		w.do(inventory.UpdateNetwork{Name: public, ExportTargets: ptr(targets("64512:7"))})
		said := w.speaker.said()
		if len(said) < 20 || len(said) > 25 {
			w.T.Errorf("the speaker was told %d things, want about 2 · log2(1000): %q", len(said), said)
		}
		refused := 0
		for r, err := range w.loop.Table().Failures(vrf.Key{}) {
			if refused++; r.Targets != targets("64512:7", "64512:8000001") || err != errRefused {
				w.T.Fatalf("%s: %v", routeText(r), err)
			}
		}
		if refused != 1 {
			w.T.Errorf("%d routes are refused, want 1", refused)
		}
		w.speaker.refusing(nil)
		time.Sleep(minBackOff)
		w.expect("again", "advertise 10.0.0.11:1:203.0.117.1/32 label 1266 via 10.0.0.11 to target:64512:7 target:64512:8000001")
		w.settled()
	}, many(2500)...)
}

// TestProblems lets the speaker refuse what is not a route.
func TestProblems(t *testing.T) {
	for refused, tt := range map[string]struct {
		command  inventory.Command
		call     string
		problems []string
	}{
		"neighbors": {createNeighbor("mx2", "10.0.0.2"), "neighbors mx1@10.0.0.1 mx2@10.0.0.2", []string{"neighbors: refused"}},
		"membership": {inventory.UpdateNetwork{Name: public, ImportTargets: ptr(targets("64512:7"))},
			"membership target:64512:7 target:64512:8000001", []string{"announce route target membership: membership: refused"}},
	} {
		t.Run(refused, func(t *testing.T) {
			run(t, func(w *world) {
				synctest.Wait()
				w.speaker.said()
				w.speaker.refusing(only(refused))
				w.do(tt.command)
				if got := w.loop.Problems(); !slices.Equal(got, tt.problems) {
					w.T.Errorf("problems\n got %q\nwant %q", got, tt.problems)
				}
				time.Sleep(minBackOff)
				w.expect("refused twice", tt.call, tt.call)
				// Routes are not held up.
				w.do(associate(mail, cmp1, 101))
				w.expect("a route", "advertise 10.0.0.11:1:203.0.113.6/32 label 101 via 10.0.0.11 to target:64512:8000001", tt.call)
				w.speaker.refusing(nil)
				time.Sleep(maxBackOff)
				w.expect("taken", tt.call)
				w.settled()
			}, basics()...)
		})
	}
}
