package reconcile

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

const heir = "projects/p/floatingIps/heir"

const secondRoute = "10.0.0.12:1:203.0.113.5/32 label 200 via 10.0.0.12 to target:64512:8000001"

// begins is basics, with a compute node that says what it has programmed.
func begins(t *testing.T, test func(w *world)) {
	run(t, func(w *world) {
		w.lives.has(cmp2, w.now().Revision())
		synctest.Wait()
		w.speaker.said()
		test(w)
	}, basics()...)
}

func moveTo(name, node string, label vrf.Label) inventory.Command {
	return inventory.Move{Name: name, From: cmp1, Association: associate(name, node, label).Association}
}

// TestAwait: a floating IP that moves keeps its old route until the new compute node has
// programmed it; the others do not wait.
func TestAwait(t *testing.T) {
	begins(t, func(w *world) {
		w.do(moveTo(web, cmp2, 200), createNode("computeNodes/cmp3", "10.0.0.13"), associate(mail, "computeNodes/cmp3", 300))
		w.expect("moved", "advertise 10.0.0.13:1:203.0.113.6/32 label 300 via 10.0.0.13 to target:64512:8000001")
		node, until, ok := w.loop.Table().Awaits(web)
		if !ok || node != cmp2 || time.Until(until) != awaitAtMost {
			w.T.Errorf("the table awaits %q, until %v, %v", node, until, ok)
		}
		w.lives.has(cmp2, w.now().Revision()-3)
		w.expect("programmed something older")
		w.lives.has(cmp2, w.now().Revision())
		w.expect("programmed", "advertise "+secondRoute, "withdraw "+basicRoute)
		if node, _, ok := w.loop.Table().Awaits(web); ok {
			w.T.Errorf("the table still awaits %q", node)
		}
		time.Sleep(2 * awaitAtMost)
		w.expect("later")
		w.settled()
	})
}

// TestAwaitTooLong: a compute node that never says so is not waited for in all eternity,
// however often the floating IP changes meanwhile.
func TestAwaitTooLong(t *testing.T) {
	begins(t, func(w *world) {
		w.do(moveTo(web, cmp2, 200))
		for _, direction := range []inventory.Direction{inventory.Ingress, inventory.Egress} {
			time.Sleep(awaitAtMost / 3)
			w.do(inventory.UpdateFloatingIP{Name: web, Direction: &direction})
			w.expect("changed meanwhile")
		}
		time.Sleep(awaitAtMost/3 + time.Second)
		w.expect("at last", "advertise "+secondRoute, "withdraw "+basicRoute)
		w.settled()
	})
}

// TestAwaitEnds: what a floating IP waits for may not come any more, or need not.
func TestAwaitEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world)
		want   []string
		then   []string // once it is programmed
	}{
		"it leaves": {func(w *world) { w.do(disassociate(web)) }, []string{"withdraw " + basicRoute}, nil},
		"it is gone": {func(w *world) { w.do(disassociate(web), inventory.Release{Name: web}) },
			[]string{"withdraw " + basicRoute}, nil},
		"it is back": {func(w *world) {
			w.do(associate(web, cmp1, 100), inventory.Disassociate{Name: web, ComputeNode: cmp2})
		}, nil, nil},
		"it dies": {func(w *world) { w.lives.is(cmp2, "tap200", inventory.InterfaceDown, 0) },
			[]string{"withdraw " + basicRoute}, nil},
		"no stream": {func(w *world) { w.lives.silent(cmp2) },
			[]string{"advertise " + secondRoute, "withdraw " + basicRoute}, nil},
		"another address": {func(w *world) {
			w.do(disassociate(web), inventory.Release{Name: web}, allocate(web, "203.0.113.9"), associate(web, cmp2, 200))
		}, []string{"withdraw " + basicRoute}, []string{"advertise 10.0.0.12:1:203.0.113.9/32 label 200 via 10.0.0.12 to target:64512:8000001"}},
		"an heir": {func(w *world) {
			w.do(disassociate(web), inventory.Release{Name: web}, allocate(heir, "203.0.113.5"), associate(heir, cmp1, 100))
		}, nil, nil},
		"to where it goes": {func(w *world) { // nobody is told of that
			before := w.now().Revision()
			w.do(inventory.Move{Name: web, From: cmp2, Association: associate(web, cmp2, 200).Association})
			w.lives.has(cmp2, before)
		}, []string{"advertise " + secondRoute, "withdraw " + basicRoute}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			begins(t, func(w *world) {
				w.do(moveTo(web, cmp2, 200))
				w.expect("moved")
				tt.change(w)
				w.expect(name, tt.want...)
				w.lives.has(cmp2, w.now().Revision())
				w.expect("programmed", tt.then...)
				time.Sleep(2 * awaitAtMost)
				w.expect("later")
				w.settled()
			})
		})
	}
}

// TestAwaitFirst: at the start nothing waits: it was advertised before.
func TestAwaitFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, feed: newFeed(t), lives: newLives(), speaker: newSpeaker()}
		w.feed.do(basics()...)
		w.lives.has(cmp1, 0)
		w.begin(func(w *world) {
			w.expect("at first", basicCalls...)
			w.settled()
		})
	})
}
