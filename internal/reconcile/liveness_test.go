package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/buoynet/buoy/internal/inventory"
)

// TestLiveness: routes follow what lives, and nothing else is touched.
func TestLiveness(t *testing.T) {
	const second = "10.0.0.12:1:203.0.113.5/32 label 200 via 10.0.0.12 to target:64512:8000001"
	session := basics()
	node := createNode(cmp2, "10.0.0.12").(inventory.CreateComputeNode)
	node.ComputeNode.Liveness.Mode = inventory.Session
	session[2] = node
	session = append(session, associate(web, cmp2, 200))
	up, down := inventory.InterfaceUp, inventory.InterfaceDown
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		step := func(what string, change func(), want ...string) {
			w.T.Helper()
			change()
			w.expect(what, want...)
			w.settled()
		}
		step("down", func() { w.lives.is(cmp1, "tap100", down, 0) }, "withdraw "+basicRoute)
		step("another one's interface", func() { w.lives.is(cmp1, "tap200", down, 0) })
		step("up", func() { w.lives.is(cmp1, "tap100", up, 0) }, "advertise "+basicRoute)
		step("backup", func() { w.lives.is(cmp1, "tap100", up, inventory.Backup) })
		step("preferred", func() { w.lives.is(cmp1, "tap100", up, inventory.Preferred) },
			"advertise "+strings.Replace(basicRoute, " to", " preference 200 to", 1))
		step("no longer", func() { w.lives.is(cmp1, "tap100", up, 0) }, "advertise "+basicRoute)
		step("unknown, and vouched for", func() { w.lives.is(cmp1, "tap100", inventory.InterfaceUnknown, 0) })
		step("no stream, and vouched for", func() { w.lives.node(cmp1, inventory.NodeDown) })
		step("unknown, with a session", func() { w.lives.is(cmp2, "tap200", inventory.InterfaceUnknown, 0) }, "withdraw "+second)
		step("unhealthy", func() { w.lives.is(cmp2, "tap200", inventory.InterfaceUnhealthy, 0) })
		step("up, with a session", func() { w.lives.is(cmp2, "tap200", up, 0) }, "advertise "+second)
		step("stale", func() { w.lives.node(cmp2, inventory.NodeStale) })
		step("the compute node is down", func() { w.lives.node(cmp2, inventory.NodeDown) }, "withdraw "+second)
		step("it leaves", func() { w.do(inventory.Disassociate{Name: web, ComputeNode: cmp2}) })
		step("another one comes, and does not live", func() { w.do(associate(mail, cmp2, 201)) })
		step("it is back", func() { w.lives.node(cmp2, inventory.NodeUp) }, "advertise 10.0.0.12:1:203.0.113.6/32 label 201 via 10.0.0.12 to target:64512:8000001")
	}, session...)
}

// TestLivenessFirst: what does not live at the start is not advertised for a moment.
func TestLivenessFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, feed: newFeed(t), lives: newLives(), speaker: newSpeaker()}
		w.feed.do(append(basics(), associate(mail, cmp2, 200))...)
		w.lives.is(cmp1, "tap100", inventory.InterfaceDown, 0)
		w.begin(func(w *world) {
			w.expect("at first", "advertise 10.0.0.12:1:203.0.113.6/32 label 200 via 10.0.0.12 to target:64512:8000001", basicCalls[1], basicCalls[2])
			w.settled()
		})
	})
}

// TestDeadFirst: a withdrawal waits for no other floating IP's route, and a floating
// IP that moves has the new route first.
func TestDeadFirst(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		const n = 2500
		for i := range n {
			w.lives.is(cmp1, fmt.Sprint("tap", 16+i), inventory.InterfaceDown, 0)
		}
		synctest.Wait()
		w.speaker.said()
		w.do(createNode(cmp2, "10.0.0.12"), createNode("computeNodes/cmp3", "10.0.0.13"))
		alone := associate("projects/p/floatingIps/f0", "computeNodes/cmp3", 9000)
		w.do(alone)
		w.speaker.said()
		// All of them come back; one dies, of which another association comes back.
		w.lives.mu.Lock() // the loop sees all of it at once
		for i := 1; i < n; i++ {
			p := inventory.Place{ComputeNode: cmp1, Interface: fmt.Sprint("tap", 16+i)}
			delete(w.lives.interfaces, p)
			w.lives.told[p] = true
		}
		for p, state := range map[inventory.Place]inventory.InterfaceState{
			{ComputeNode: cmp1, Interface: "tap16"}:                  inventory.InterfaceUp,
			{ComputeNode: "computeNodes/cmp3", Interface: "tap9000"}: inventory.InterfaceDown} {
			w.lives.interfaces[p] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: state}}
			w.lives.tell(p)
		}
		w.lives.mu.Unlock()
		const prefix = "203.0.112.1/32 label "
		w.expect("dead and alive", "advertise 10.0.0.11:1:"+prefix+"16 via 10.0.0.11 to target:64512:8000001",
			"withdraw 10.0.0.13:1:"+prefix+"9000 via 10.0.0.13 to target:64512:8000001",
			"advertise 1000 routes", "advertise 1000 routes", "advertise 499 routes")
		w.settled()
	}, many(2500)...)
}

// TestLivenessRefused: what the speaker refuses is tried again, with the newest that
// lives.
func TestLivenessRefused(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.said()
		w.speaker.refusing(only("withdraw"))
		w.lives.is(cmp1, "tap100", inventory.InterfaceDown, 0)
		synctest.Wait()
		w.lives.is(cmp1, "tap100", inventory.InterfaceUp, 0)
		synctest.Wait()
		w.speaker.refusing(nil)
		got := w.speaker.said()
		if want := []string{"withdraw " + basicRoute, "advertise " + basicRoute}; !slices.Equal(got, want) {
			w.T.Errorf("got %q, want %q", got, want)
		}
		w.settled()
	}, basics()...)
}
