package reconcile

import (
	"iter"
	"time"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/vrf"
)

// entry is a route in the table of what the speaker was given.
type entry struct {
	route vrf.Route
	since int64 // when the speaker took it in this form; Unix time in nanoseconds
}

// failure is a difference that the speaker did not take. It is tried again.
type failure struct {
	route    vrf.Route
	withdraw bool // otherwise it should be advertised
	err      error
}

func failureOf(key vrf.Key) failure { return failure{route: vrf.Route{Key: key}} }

// want returns what should be advertised, or nil.
func (f *failure) want() *vrf.Route {
	if f.withdraw {
		return nil
	}
	return &f.route
}

// Table is a snapshot of what is advertised, and of what should be but is not.
// Its methods may be called concurrently.
type Table struct {
	advertised *btree.BTreeG[entry]
	failed     *btree.BTreeG[failure]
	byNetwork  *btree.Map[uint16, int]     // how many of advertised each network has
	awaited    *btree.Map[string, awaited] // floating IPs by name, whose change is held back
}

func newTable() Table {
	unlocked := btree.Options{NoLocks: true}
	return Table{
		advertised: btree.NewBTreeGOptions(func(a, b entry) bool { return a.route.Key.Compare(b.route.Key) < 0 }, unlocked),
		failed:     btree.NewBTreeGOptions(func(a, b failure) bool { return a.route.Key.Compare(b.route.Key) < 0 }, unlocked),
		byNetwork:  btree.NewMap[uint16, int](0),
		awaited:    btree.NewMap[string, awaited](0),
	}
}

func (t Table) snapshot() Table {
	return Table{t.advertised.Copy(), t.failed.Copy(), t.byNetwork.Copy(), t.awaited.Copy()}
}

// advertise notes that the speaker has taken a route.
func (t Table) advertise(r vrf.Route, now int64) {
	if _, replaced := t.advertised.Set(entry{route: r, since: now}); !replaced {
		t.count(r.Key, 1)
	}
}

// withdraw notes that it no longer has one.
func (t Table) withdraw(key vrf.Key) {
	if _, deleted := t.advertised.Delete(entry{route: vrf.Route{Key: key}}); deleted {
		t.count(key, -1)
	}
}

func (t Table) count(key vrf.Key, more int) {
	id := vrf.NetworkID(key.RD)
	n, _ := t.byNetwork.Get(id)
	if n += more; n == 0 {
		t.byNetwork.Delete(id)
	} else {
		t.byNetwork.Set(id, n)
	}
}

// LenOf returns how many advertised routes a network has.
func (t Table) LenOf(network uint16) int {
	n, _ := t.byNetwork.Get(network)
	return n
}

// Refused returns how many differences the speaker did not take.
func (t Table) Refused() int { return t.failed.Len() }

// Len returns the number of advertised routes.
func (t Table) Len() int { return t.advertised.Len() }

// Get returns the advertised route with a key, and since when it is advertised
// in this form.
func (t Table) Get(key vrf.Key) (route vrf.Route, since time.Time, ok bool) {
	e, ok := t.advertised.Get(entry{route: vrf.Route{Key: key}})
	return e.route, time.Unix(0, e.since), ok
}

// All yields the advertised routes, ordered by prefix and distinguisher.
func (t Table) All() iter.Seq2[vrf.Route, time.Time] { return t.From(vrf.Key{}) }

// From yields the advertised routes from a key on.
func (t Table) From(key vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		t.advertised.Ascend(entry{route: vrf.Route{Key: key}}, func(e entry) bool { return yield(e.route, time.Unix(0, e.since)) })
	}
}

// Failure returns why the speaker did not take what is wanted for a key, or
// nil.
func (t Table) Failure(key vrf.Key) error {
	f, _ := t.failed.Get(failureOf(key))
	return f.err
}

// Failures yields the wanted routes that the speaker did not take, from a key on.
func (t Table) Failures(from vrf.Key) iter.Seq2[vrf.Route, error] {
	return func(yield func(vrf.Route, error) bool) {
		t.failed.Ascend(failureOf(from), func(f failure) bool { return f.withdraw || yield(f.route, f.err) })
	}
}
