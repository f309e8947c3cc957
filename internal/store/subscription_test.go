package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

func TestSubscription(t *testing.T) {
	w := seeded(t, openBolt(t))
	w.do(network(public), node(cmp1, "10.0.0.11"))
	sub := w.Subscribe()
	awake := func() bool {
		select {
		case <-sub.Wake():
			return true
		default:
			return false
		}
	}
	expect := func(what string, wake bool, want ...string) {
		t.Helper()
		if got := awake(); got != wake {
			t.Errorf("%s: awake is %t, want %t", what, got, wake)
		}
		state, names := sub.Take()
		if !slices.Equal(names, want) {
			t.Errorf("%s: got %q, want %q", what, names, want)
		}
		if state.Revision() != w.State().Revision() {
			t.Errorf("%s: got revision %d, want %d", what, state.Revision(), w.State().Revision())
		}
	}
	expect("at first", true, cmp1, inventory.GlobalName, static, public)
	expect("nothing has happened", false)
	if at := sub.Committed(); !at.IsZero() {
		t.Errorf("nothing was committed at %v", at)
	}
	before := time.Now()
	w.do(allocate(web, "203.0.113.5"))
	expect("one", true, web)
	if at := sub.Committed(); at.Before(before) || time.Since(at) < 0 {
		t.Errorf("committed at %v", at)
	}

	// Changes that were not taken are merged, even of what is gone by now.
	w.do(associate(web, cmp1, "tap0"), inventory.Disassociate{Name: web}, inventory.Release{Name: web},
		allocate(mail, "203.0.113.5"), inventory.DeleteComputeNode{Name: cmp1})
	expect("many", true, cmp1, mail, web)
	expect("all were taken", false)

	// Taking without having been woken leaves a token; it does no harm.
	w.do(inventory.Release{Name: mail})
	if _, names := sub.Take(); !slices.Equal(names, []string{mail}) {
		t.Errorf("got %q, want %q", names, mail)
	}
	expect("a token is left", true)

	// Subscriptions do not take from one another.
	second := w.Subscribe()
	w.do(node(cmp2, "10.0.0.12"))
	expect("the first one", true, cmp2)
	if _, names := second.Take(); !slices.Equal(names, []string{cmp2, inventory.GlobalName, static, public}) {
		t.Errorf("the second one: got %q", names)
	}
	sub.Close()
	w.do(allocate(web, "203.0.113.5"))
	expect("closed", false)
	if _, names := second.Take(); !slices.Equal(names, []string{web}) {
		t.Errorf("the second one: got %q", names)
	}
	second.Close()
	second.Close()
}

// TestSubscribeBeforeReady gets everything with the first snapshot.
func TestSubscribeBeforeReady(t *testing.T) {
	s := newScripted()
	w := follow(t, s)
	sub := w.Subscribe()
	if _, names := sub.Take(); !slices.Equal(names, []string{static}) {
		t.Errorf("before: got %q", names)
	}
	<-sub.Wake()
	s.events <- store.Event{Revision: 1, Snapshot: true, Changes: []inventory.Change{resource("global", 1, inventory.Global{AS: 64512})}}
	<-sub.Wake()
	if state, names := sub.Take(); !slices.Equal(names, []string{inventory.GlobalName, static}) || state.Revision() != 1 {
		t.Errorf("at revision %d: got %q", state.Revision(), names)
	}
}
