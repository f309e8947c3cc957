package reconcile

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/buoynet/buoy/internal/ring"
	"github.com/buoynet/buoy/vrf"
)

func destination(network uint16, prefix string) vrf.Destination {
	return vrf.Destination{VRF: network, Prefix: netip.MustParsePrefix(prefix)}
}

// TestChangeLog: who reads on from a position misses nothing, and is told when it
// must begin again.
func TestChangeLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewChanges()
		begin := c.End()
		one, two := destination(1, "10.0.0.0/8"), destination(2, "10.0.0.0/8")
		c.add([]vrf.Destination{one, two, one})
		changed, end, ok, err := c.Since(t.Context(), begin)
		if !slices.Equal(changed, []vrf.Destination{one, two}) || !ok || err != nil {
			t.Errorf("got %v, %t, %v", changed, ok, err)
		}
		again, err := ring.ParsePosition(end.String())
		if again != end || err != nil {
			t.Errorf("got %v, %v, want %v", again, err, end)
		}

		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error, 1)
		go func() {
			_, _, _, err := c.Since(ctx, end)
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("with nothing new: got %v", err)
		}
		go c.add([]vrf.Destination{two})
		if changed, _, ok, _ := c.Since(t.Context(), end); !ok || !slices.Equal(changed, []vrf.Destination{two}) {
			t.Errorf("after a wait: got %v", changed)
		}

		if _, _, ok, _ := NewChanges().Since(t.Context(), begin); ok {
			t.Error("a position of another run counts")
		}
		for range keptChanges {
			c.add([]vrf.Destination{one})
		}
		if _, _, ok, _ := c.Since(t.Context(), end); ok {
			t.Error("a position that is too old counts")
		}
		last := c.End()
		c.add([]vrf.Destination{two})
		if changed, _, ok, _ := c.Since(t.Context(), last); !ok || !slices.Equal(changed, []vrf.Destination{two}) {
			t.Errorf("in a full log: got %v", changed)
		}
	})
}

// TestBehind: who does not wait reads on piece by piece, only what is wanted, and is
// told when there is more.
func TestBehind(t *testing.T) {
	c := NewChanges()
	begin := c.End()
	one, two, other := destination(1, "10.0.0.0/8"), destination(1, "10.1.0.0/16"), destination(2, "10.0.0.0/8")
	c.add([]vrf.Destination{one, other, one, two, one})
	wanted := func(vrf uint16) bool { return vrf == 1 }
	isClosed := func(more <-chan struct{}) bool {
		select {
		case <-more:
			return true
		default:
			return false
		}
	}
	first, end, more, ok := c.Behind(begin, 1, wanted)
	if !ok || !slices.Equal(first, []vrf.Destination{one}) || !isClosed(more) {
		t.Errorf("the first: got %v, %t, more at once %t", first, ok, isClosed(more))
	}
	rest, end, more, ok := c.Behind(end, 10, wanted)
	if !ok || !slices.Equal(rest, []vrf.Destination{one, two}) || end != c.End() || isClosed(more) {
		t.Errorf("the rest: got %v, %t, more at once %t", rest, ok, isClosed(more))
	}
	if none, same, _, ok := c.Behind(end, 10, wanted); !ok || len(none) > 0 || same != end {
		t.Errorf("nothing new: got %v at %v, %t", none, same, ok)
	}
	c.add([]vrf.Destination{other})
	if !isClosed(more) {
		t.Error("nobody is told of a change")
	}
	if none, further, _, ok := c.Behind(end, 10, wanted); !ok || len(none) > 0 || further != c.End() {
		t.Errorf("nothing that is wanted: got %v at %v, %t", none, further, ok)
	}
	if _, _, _, ok := NewChanges().Behind(begin, 10, nil); ok {
		t.Error("a position of another run counts")
	}
}

// TestOwnChanges: what is advertised and withdrawn is a change, too.
func TestOwnChanges(t *testing.T) {
	run(t, func(w *world) {
		synctest.Wait()
		before := w.loop.changes.End()
		w.do(disassociate(web))
		changed, _, ok, err := w.loop.changes.Since(t.Context(), before)
		if !ok || err != nil || !slices.Equal(changed, []vrf.Destination{destination(1, "203.0.113.5/32")}) {
			t.Errorf("got %v, %t, %v", changed, ok, err)
		}
		before = w.loop.changes.End()
		w.do(associate(mail, cmp2, 101))
		changed, _, _, _ = w.loop.changes.Since(t.Context(), before)
		if !slices.Equal(changed, []vrf.Destination{destination(1, "203.0.113.6/32")}) {
			t.Errorf("got %v", changed)
		}
	}, basics()...)
}
