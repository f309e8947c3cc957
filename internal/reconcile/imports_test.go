package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unique"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// receiver is what two neighbors have announced.
type receiver struct {
	wake chan struct{}
	ribs map[string]vrf.RIB

	mu      sync.Mutex
	updates []vrf.Update
}

func newReceiver() *receiver {
	return &receiver{wake: make(chan struct{}, 1), ribs: map[string]vrf.RIB{}}
}

func (r *receiver) Received() <-chan struct{} { return r.wake }

func (r *receiver) TakeReceived() []vrf.Update {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.updates = nil }()
	return r.updates
}

// say makes a neighbor announce a prefix with targets, or withdraw it without.
func (r *receiver) say(name, prefix string, carried routetarget.Set) {
	if _, ok := r.ribs[name]; !ok {
		r.ribs[name] = vrf.NewRIB()
	}
	rib := r.ribs[name].Copy()
	key := vrf.Key{RD: routetarget.IPv4Distinguisher(addr("10.0.0.9"), 1), Prefix: netip.MustParsePrefix(prefix)}
	if rib.Delete(key); carried.Len() > 0 {
		rib.Set(&vrf.Received{Key: key, Label: 100,
			Source:     &vrf.Source{Neighbor: name, Address: addr("10.0.0." + name)},
			Attributes: unique.Make(vrf.Attributes{Targets: carried, NextHop: addr("10.0.0." + name)})})
	}
	r.ribs[name] = rib
	r.tell(vrf.Update{Of: name, Routes: rib, Keys: []vrf.Key{key, key}, All: rand.IntN(4) == 0})
}

// end is the end of a neighbor.
func (r *receiver) end(name string) {
	delete(r.ribs, name)
	r.tell(vrf.Update{Of: name, Routes: vrf.NewRIB(), All: true, Gone: true})
}

func (r *receiver) tell(u vrf.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updates = append(r.updates, u)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// importing is an import loop between a feed and a receiver.
type importing struct {
	*testing.T
	*feed
	*receiver
	loop    *Imports
	changes *Changes
}

func runImports(t *testing.T, test func(w *importing), before ...inventory.Command) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &importing{T: t, feed: newFeed(t), receiver: newReceiver(), changes: NewChanges()}
		w.feed.do(before...)
		w.loop = NewImports(w.feed, w.receiver, w.changes)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.loop.Run(ctx) }()
		test(w)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// tables shows who is in the table of a network for each prefix.
func (w *importing) tables(network string) string {
	synctest.Wait()
	n, ok := w.now().Network(network)
	if !ok {
		return ""
	}
	var parts []string
	for prefix, paths := range w.loop.Tables().All(n.ID, netip.Prefix{}) {
		var names []string
		for _, r := range slices.Concat(paths.Best, paths.Backup, paths.Unusable) {
			names = append(names, r.Source.Neighbor)
		}
		slices.Sort(names)
		parts = append(parts, prefix.String()+"="+strings.Join(names, "+"))
	}
	return strings.Join(parts, " ")
}

func (w *importing) expect(what, n1, n2 string) {
	w.T.Helper()
	if a, b := w.tables(net1), w.tables(net2); a != n1 || b != n2 {
		w.T.Errorf("%s:\n got %q and %q\nwant %q and %q", what, a, b, n1, n2)
	}
}

const (
	net1 = "projects/p/networks/n1"
	net2 = "projects/p/networks/n2"
)

// TestImports: what the networks import of what the neighbors announce, and what
// becomes of it when targets change.
func TestImports(t *testing.T) {
	runImports(t, func(w *importing) {
		w.say("1", "0.0.0.0/0", targets("64512:1"))
		w.say("2", "0.0.0.0/0", targets("64512:1", "64512:2"))
		w.say("2", "192.0.2.0/24", targets("64512:9"))
		w.say("1", "198.51.100.0/24", targets("64512:8000002"))
		w.expect("the targets that are configured, and the automatic one", "0.0.0.0/0=1+2", "0.0.0.0/0=2 198.51.100.0/24=1")
		before := w.changes.End()
		w.feed.do(inventory.UpdateNetwork{Name: net1, ImportTargets: ptr(targets("64512:9"))})
		w.expect("another target", "192.0.2.0/24=2", "0.0.0.0/0=2 198.51.100.0/24=1")
		if changed, _, ok, err := w.changes.Since(t.Context(), before); len(changed) != 2 || !ok || err != nil {
			t.Errorf("changed: %v", changed)
		}
		w.feed.do(inventory.SetGlobal{AS: 64600})
		w.expect("another AS: the automatic targets are others", "192.0.2.0/24=2", "0.0.0.0/0=2")
		w.end("2")
		w.expect("a neighbor is no more", "", "")
		w.say("1", "192.0.2.0/24", targets("64512:9"))
		w.feed.do(inventory.DeleteNetwork{Name: net1}, createNetwork(net1, "64512:1"))
		w.expect("another network with the same name", "0.0.0.0/0=1", "")
	}, createNetwork(net1, "64512:1"), createNetwork(net2, "64512:2"))
}

// TestImportsRandom: the tables are what a search of everything says.
func TestImportsRandom(t *testing.T) {
	some := func() routetarget.Set {
		var list []string
		for range rand.IntN(3) {
			list = append(list, fmt.Sprintf("64512:%d", 1+rand.IntN(4)))
		}
		return targets(list...)
	}
	runImports(t, func(w *importing) {
		for range 500 {
			switch name := fmt.Sprint(1 + rand.IntN(2)); rand.IntN(8) {
			case 0:
				w.feed.do(inventory.UpdateNetwork{Name: "projects/p/networks/n" + name, ImportTargets: ptr(some())})
			case 1:
				w.end(name)
			default:
				w.say(name, fmt.Sprintf("10.%d.0.0/16", rand.IntN(5)), some())
			}
			for _, network := range []string{net1, net2} {
				if got, want := w.tables(network), w.searched(network); got != want {
					t.Fatalf("%s\n got %s\nwant %s", network, got, want)
				}
			}
		}
	}, createNetwork(net1), createNetwork(net2))
}

func (w *importing) searched(network string) string {
	imports := importsOf(w.now(), network)
	found := map[string][]string{}
	for name, rib := range w.ribs {
		for r := range rib.All() {
			if r.Attributes.Value().Targets.Intersects(imports) {
				found[r.Prefix.String()] = append(found[r.Prefix.String()], name)
			}
		}
	}
	var parts []string
	for prefix, names := range found {
		slices.Sort(names)
		parts = append(parts, prefix+"="+strings.Join(names, "+"))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// TestImportsEnd: the end of a network comes behind the changes of its imports, also
// that of one that nobody saw.
func TestImportsEnd(t *testing.T) {
	runImports(t, func(w *importing) {
		w.say("1", "0.0.0.0/0", targets("64512:1"))
		w.tables(net1)
		before, id := w.changes.End(), uint16(1)
		w.feed.do(inventory.DeleteNetwork{Name: net1})
		changed, before, _, err := w.changes.Since(w.T.Context(), before)
		if want := []vrf.Destination{destination(id, "0.0.0.0/0"), {VRF: id}}; !slices.Equal(changed, want) || err != nil {
			t.Errorf("got %v, %v, want %v", changed, err, want)
		}
		w.feed.do(createNetwork(net1), inventory.DeleteNetwork{Name: net1})
		if changed, _, _, err := w.changes.Since(w.T.Context(), before); !slices.Equal(changed, []vrf.Destination{{}}) || err != nil {
			t.Errorf("unseen: got %v, %v", changed, err)
		}
	}, createNetwork(net1, "64512:1"))
}

// TestSettle: what was announced before is in the tables and in every log.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, receiver, both, own := newFeed(t), newReceiver(), NewChanges(), NewChanges()
		feed.do(createNetwork(net1, "64512:1"))
		loop := NewImports(feed, receiver, both, own)
		begin := own.End()
		receiver.say("1", "0.0.0.0/0", targets("64512:1"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- loop.Run(ctx) }()
		if err := loop.Settle(t.Context()); err != nil || loop.Tables().Len() != 1 {
			t.Errorf("got %d routes, %v, want 1", loop.Tables().Len(), err)
		}
		if changed, _, _, ok := own.Behind(begin, 10, nil); !ok || !slices.Equal(changed, []vrf.Destination{destination(1, "0.0.0.0/0")}) {
			t.Errorf("the second log: got %v, %t", changed, ok)
		}
		cancel()
		<-ended
		if err := loop.Settle(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: got %v", err)
		}
	})
}
