package api

import (
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// watchChunk is how many resources are written out before they are sent.
const watchChunk = 256

// sendKinds sends all resources of some kinds, kind by kind, in the order of their
// names.
func (w *resourceWatcher) sendKinds(state *inventory.State, kinds []bool) error {
	h := hold(w.Inventory, state)
	defer h.close()
	state = nil // h has it, as long as the client reads
	for i, k := range kindNames {
		if !kinds[i] {
			continue
		}
		for after := ""; ; {
			state := h.state()
			names := w.chunk(state, k.kind, after)
			if len(names) == 0 {
				break
			}
			after = names[len(names)-1]
			list := w.messages(state, names, false)
			state = nil
			if err := w.sendMessages(list); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk returns the next names of a kind that are watched.
func (w *resourceWatcher) chunk(state *inventory.State, kind inventory.Kind, after string) (names []string) {
	if w.name != "" {
		if inventory.KindOf(w.name) == kind && w.name > after && w.takes(w.name) && exists(state, w.name) && w.viewer.sees(state, w.name) {
			names = append(names, w.name)
		}
		return names
	}
	for name := range namesOfKind(state, kind, w.parent, after) {
		if name > after && w.takes(name) && w.viewer.sees(state, name) {
			if names = append(names, name); len(names) == watchChunk {
				break
			}
		}
	}
	return names
}

// namesOfKind yields the names of a kind in their order. There are many floating IPs:
// those of other parents, and those before a name, need not be among them.
func namesOfKind(state *inventory.State, kind inventory.Kind, parent, after string) iter.Seq[string] {
	switch kind {
	case inventory.KindGlobal:
		if _, ok := state.Global(); ok {
			return slices.Values([]string{inventory.GlobalName})
		}
		return func(func(string) bool) {}
	case inventory.KindNetwork:
		return mapped(state.Networks(), networkName)
	case inventory.KindPool:
		return mapped(state.Pools(), poolName)
	case inventory.KindBinding:
		return mapped(state.Bindings(), bindingName)
	case inventory.KindComputeNode:
		return mapped(state.ComputeNodes(), computeNodeName)
	case inventory.KindNeighbor:
		return mapped(state.Neighbors(), (*inventory.Neighbor).ResourceName)
	default:
		return mapped(floatingIPsIn(state, parent, after), floatingIPName)
	}
}

func mapped[A, B any](list iter.Seq[A], to func(A) B) iter.Seq[B] {
	return func(yield func(B) bool) {
		for a := range list {
			if !yield(to(a)) {
				return
			}
		}
	}
}

// stallTime is how long a client may read nothing before the state that it is being
// sent is let go: it would keep everything that has changed since in memory.
const stallTime = 10 * time.Second

// held is the state that a client is sent piece by piece. When that was let go, the
// rest is sent as it is by then; what has changed since the state follows anyway.
type held struct {
	inv   Inventory
	timer *time.Timer

	mu    sync.Mutex
	first *inventory.State // nil when it was let go
}

func hold(inv Inventory, state *inventory.State) *held {
	h := &held{inv: inv, first: state}
	h.timer = time.AfterFunc(stallTime, h.letGo)
	return h
}

func (h *held) letGo() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.first = nil
}

// state returns the state for the next piece.
func (h *held) state() *inventory.State {
	h.timer.Reset(stallTime)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		return h.inv.State()
	}
	return h.first
}

func (h *held) close() { h.timer.Stop() }
