package computenode

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// TestTurned: an interface that was known and is in another state is told, and when it is
// gone; not what comes up first, nor what goes with its compute node.
func TestTurned(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	var got []string
	w.Nodes.tell = func(list []Turn, more int) {
		for _, t := range list {
			got = append(got, fmt.Sprint(t.Interface, " ", t.Before, " ", t.After, " ", t.Reason))
		}
		if more > 0 {
			got = append(got, fmt.Sprint(more, " more"))
		}
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		got = nil
	}
	s := w.open(cmp1)
	w.report(s, true, "tap0 up", "tap1 up")
	expect("the first report")
	w.report(s, false, "tap0 down: cable")
	w.report(s, false, "tap0 down: cable")
	up, down := inventory.InterfaceUp, inventory.InterfaceDown
	expect("down", fmt.Sprint("tap0 ", up, " ", down, " cable"))
	if err := s.Report([]inventory.InterfaceReport{{Name: "tap0", State: up}, {Name: "tap1"}}, false); err != nil {
		t.Fatal(err)
	}
	expect("up, and taken back", fmt.Sprint("tap0 ", down, " ", up, " "), fmt.Sprint("tap1 ", up, " ", inventory.InterfaceUnknown, " "))
	w.sleep(time.Hour)
	expect("the compute node is down")
	s = w.open(cmp1)
	var many []inventory.InterfaceReport
	for i := range maxTurns + 5 {
		many = append(many, inventory.InterfaceReport{Name: fmt.Sprint("m", i), State: up})
	}
	for _, state := range []inventory.InterfaceState{up, down} {
		for i := range many {
			many[i].State = state
		}
		if err := s.Report(many, false); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(got); n != maxTurns+1 || got[n-1] != "5 more" {
		t.Errorf("%d turns, the last is %q", n, got[n-1])
	}
}
