package inventory

import (
	"fmt"
	"testing"
	"time"
)

// TestHoldDown: the node's own time, rounded up to whole seconds.
func TestHoldDown(t *testing.T) {
	for _, part := range []time.Duration{0, time.Nanosecond, 999 * time.Millisecond} {
		w := labelled(t, 100, 100)
		w.do(UpdateComputeNode{Name: cmp1, LabelHoldDown: ptr(uint32(5))}, associate(fip(0), cmp1, "tap0", 0))
		w.later(part)
		w.do(Disassociate{Name: fip(0)})
		released := w.now
		for w.now.Sub(released) < 5*time.Second {
			if _, err := Plan(w.state, w.now, associate(fip(1), cmp1, "tap1", 0)); err == nil {
				t.Errorf("released %s past a second, the label is free %s later", part, w.now.Sub(released))
			}
			w.later(250 * time.Millisecond)
		}
		w.later(time.Second)
		w.expectLabel(1, "tap1", 100)
	}
}

// TestClockSteps: a clock that was set by more than the hold-down ends the
// rest, by less than that it lasts at most twice as long.
func TestClockSteps(t *testing.T) {
	for _, tt := range []struct {
		step time.Duration
		free bool
		left string
	}{
		{0, false, "1m0s"},
		{-30 * time.Second, false, "1m30s"},
		{-59 * time.Second, false, "1m59s"},
		{-60 * time.Second, true, ""},
		{-24 * time.Hour, true, ""},
		{30 * time.Second, false, "30s"},
		{60 * time.Second, true, ""},
		{24 * 365 * 100 * time.Hour, true, ""},
	} {
		w := labelled(t, 100, 100)
		w.do(associate(fip(0), cmp1, "tap0", 0), Disassociate{Name: fip(0)})
		w.later(tt.step)
		if tt.free {
			w.expectLabel(1, "tap1", 100)
			continue
		}
		w.refused(tt.step.String(), associate(fip(1), cmp1, "tap1", 100), Error{FailedPrecondition, ReasonLabelResting, "label", cmp1,
			"interface tap0 of computeNodes/cmp1 had 100 until a moment ago; it rests for another " + tt.left + ", since gateways may still send to it"})
		w.refused(tt.step.String(), associate(fip(1), cmp1, "tap1", 0), Error{ResourceExhausted, ReasonLabelExhausted, "label", cmp1,
			"all labels 100-100 of computeNodes/cmp1 are taken, the first one that rests after its last use is free in " + tt.left + "; give the node a larger range"})
	}
	// One that was released before the clock was set back is younger than one
	// that was released after it, and yet it is free.
	w := labelled(t, 100, 103)
	for i := range 4 {
		w.do(associate(fip(i), cmp1, fmt.Sprint("tap", i), 0))
	}
	w.do(Disassociate{Name: fip(0)}, Disassociate{Name: fip(1)}, Disassociate{Name: fip(2)})
	w.later(-time.Hour)
	w.do(Disassociate{Name: fip(3)}) // it wakes the first two of them
	w.expectLabel(5, "tap5", 100)
	w.expectLabel(6, "tap6", 101)
	w.expectLabel(7, "tap7", 102)
}

// TestWake: resting labels are forgotten, a few with each change.
func TestWake(t *testing.T) {
	w := labelled(t, 100, 999)
	for i := range 8 {
		w.do(associate(fip(i), cmp1, fmt.Sprint("tap", i), 0))
	}
	d := NewDraft(w.state, w.now)
	for i := range 8 {
		if err := d.Do(Disassociate{Name: fip(i)}); err != nil {
			t.Fatal(err)
		}
	}
	w.commit(d.Mutations())
	expect := func(want int) {
		t.Helper()
		if got := w.state.resting.Len(); got != want || w.state.byRelease.Len() != want {
			t.Errorf("%d labels rest, %d of them by time, want %d", got, w.state.byRelease.Len(), want)
		}
	}
	expect(8)
	w.later(30 * time.Second)
	w.do(associate(fip(8), cmp1, "tap8", 0))
	expect(8)
	w.later(time.Minute)
	w.do(Disassociate{Name: fip(8)}) // two wake, one goes to rest
	expect(7)
	w.do(associate(fip(8), cmp1, "tap8", 0)) // two wake, and its own is taken up
	expect(4)
	w.do(associate(fip(9), cmp1, "tap8", 0)) // no label changes
	expect(4)
	w.do(associate(fip(0), cmp2, "tap0", 0)) // another node's do not matter
	expect(4)
	w.do(associate(fip(1), cmp1, "tap1", 200))
	expect(2)
}

// TestDeleteNodeWithResting: what rests goes with the node.
func TestDeleteNodeWithResting(t *testing.T) {
	w := labelled(t, 100, 101)
	w.do(associate(fip(0), cmp1, "tap0", 0), associate(fip(1), cmp1, "tap1", 0), Disassociate{Name: fip(1)})
	w.later(time.Second)
	w.do(Disassociate{Name: fip(0)})
	w.planned("delete", DeleteComputeNode{cmp1},
		`delete node/computeNodes/cmp1@3`,
		`delete nodeaddr/10.0.0.11@any`,
		`delete routerid/10.0.0.11@any`,
		`none above iface/cmp1/@18`,
		`none above resting/cmp1/@18`,
		`delete resting/cmp1/101@17`,
		`delete resting/cmp1/100@18`)
	w.do(DeleteComputeNode{cmp1})
	if w.state.resting.Len() != 0 || w.state.byRelease.Len() != 0 || w.state.labelRuns.Len() != 0 {
		t.Error("something is left over")
	}
	w.do(node(cmp1, "10.0.0.11"))
	w.expectLabel(0, "tap9", 100_000)
}
