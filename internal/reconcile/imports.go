package reconcile

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Receiver is what the import loop needs of BGP: the routes that the neighbors
// have announced.
type Receiver interface {
	// Received delivers when there is something to take.
	Received() <-chan struct{}
	// TakeReceived returns what has changed since the last call.
	TakeReceived() []vrf.Update
}

// importBatch is after how many routes readers see what has been done so far. It
// is earlier if they are in many tables: the log must not lose readers at once.
const importBatch = 10_000

// Imports keeps the VRFs' tables: what the networks import of what the neighbors
// have announced. Run owns every field but those below mu.
type Imports struct {
	feed     Feed
	receiver Receiver
	logs     []*Changes
	settling chan chan struct{} // from Settle; closed by Run

	last   *inventory.State // what the previous pass worked on
	taken  map[any]vrf.RIB  // what is in the tables, by Update.Of
	tables *vrf.Import
	undone int               // routes since the last publish
	gone   []vrf.Destination // networks that are no more, without a prefix

	mu        sync.Mutex
	published vrf.Tables
}

// NewImports returns a loop that has not begun. It notes its changes in logs: one that
// has others, too, and one for those who want no others.
func NewImports(feed Feed, receiver Receiver, logs ...*Changes) *Imports {
	tables := vrf.NewImport()
	return &Imports{
		feed:      feed,
		receiver:  receiver,
		logs:      logs,
		settling:  make(chan chan struct{}),
		last:      inventory.NewState(inventory.Static{}),
		taken:     map[any]vrf.RIB{},
		tables:    tables,
		published: tables.Tables(),
	}
}

// Run works until the context ends.
func (l *Imports) Run(ctx context.Context) error {
	for {
		var settled chan struct{}
		select {
		case <-ctx.Done():
			return nil
		case <-l.feed.Wake():
			l.retarget(l.feed.Take())
		case <-l.receiver.Received():
			l.receive()
		case settled = <-l.settling:
			l.retarget(l.feed.Take())
			l.receive()
		}
		l.publish()
		if settled != nil {
			close(settled)
		}
	}
}

// Settle returns when the tables and the logs show at least what the networks imported,
// and the neighbors had announced, when it was called.
func (l *Imports) Settle(ctx context.Context) error {
	settled := make(chan struct{})
	select {
	case l.settling <- settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive brings the tables up to what the neighbors have announced.
func (l *Imports) receive() {
	for _, u := range l.receiver.TakeReceived() {
		l.take(u)
	}
}

// Tables returns a snapshot of the VRFs' tables.
func (l *Imports) Tables() vrf.Tables {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published
}

// retarget makes the VRFs import what the networks say.
func (l *Imports) retarget(state *inventory.State, touched []string) {
	imports := map[uint16]routetarget.Set{}
	note := func(name string) {
		// A name may be another network by now, with another id.
		if old, ok := l.last.Network(name); ok {
			if _, seen := imports[old.ID]; !seen {
				imports[old.ID] = routetarget.Set{}
			}
		}
		if n, ok := state.Network(name); ok {
			imports[n.ID] = importsOf(state, name)
		} else {
			gone := vrf.Destination{} // of a network that came and went unseen
			if old, ok := l.last.Network(name); ok {
				gone.VRF = old.ID
			}
			l.gone = append(l.gone, gone)
		}
	}
	for _, name := range touched {
		switch inventory.KindOf(name) {
		case inventory.KindNetwork:
			note(name)
		case inventory.KindGlobal:
			if asOf(l.last) == asOf(state) {
				continue
			}
			for n := range state.Networks() { // every automatic target is another one
				note(n.Name)
			}
		}
	}
	l.last = state
	if len(imports) > 0 {
		l.tables.Retarget(imports, l.all())
	}
}

// all yields every route that was taken.
func (l *Imports) all() iter.Seq[*vrf.Received] {
	return func(yield func(*vrf.Received) bool) {
		for _, rib := range l.taken {
			for r := range rib.All() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// take brings the tables up to what a neighbor has announced.
func (l *Imports) take(u vrf.Update) {
	old, ok := l.taken[u.Of]
	if !ok {
		old = vrf.NewRIB()
	}
	if u.All {
		for was, is := range vrf.Differences(old, u.Routes) {
			l.replace(was, is)
		}
	} else {
		slices.SortFunc(u.Keys, vrf.Key.Compare)
		var before, now vrf.Hint
		for _, key := range slices.Compact(u.Keys) {
			if was, is := old.GetNear(key, &before), u.Routes.GetNear(key, &now); was != is {
				l.replace(was, is)
			}
		}
	}
	// What was closed says so once, and may have nothing to say once more.
	if l.taken[u.Of] = u.Routes; u.Gone || u.Routes.Len() == 0 {
		delete(l.taken, u.Of)
	}
}

func (l *Imports) replace(was, is *vrf.Received) {
	l.tables.Replace(was, is)
	if l.undone++; l.undone >= importBatch || l.tables.Untold() >= keptChanges/4 {
		l.publish()
	}
}

// publish shows readers the tables as they are now.
func (l *Imports) publish() {
	l.undone = 0
	touched := append(l.tables.Touched(), l.gone...)
	l.gone = nil
	if len(touched) == 0 {
		return
	}
	l.mu.Lock()
	l.published = l.tables.Tables()
	l.mu.Unlock()
	for _, log := range l.logs {
		log.add(touched)
	}
}
