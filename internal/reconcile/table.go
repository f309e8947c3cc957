package reconcile

import (
	"time"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/vrf"
)

// Entry is a route in the table of what the speaker was given.
type Entry struct {
	Route vrf.Route
	Since int64 // when the speaker took it in this form; Unix time in nanoseconds
}

// Time returns Since as a time.
func (e Entry) Time() time.Time { return time.Unix(0, e.Since) }

// Failure is a difference that the speaker did not take. It is tried again.
type Failure struct {
	Key  vrf.Key
	Want *vrf.Route // nil: it should be withdrawn
	Err  error
}

// Table is a snapshot of what is advertised, and of what should be but is not.
// Its methods may be called concurrently.
type Table struct {
	advertised *btree.BTreeG[Entry]
	failed     *btree.BTreeG[Failure]
}

func newTable() Table {
	unlocked := btree.Options{NoLocks: true}
	return Table{
		advertised: btree.NewBTreeGOptions(func(a, b Entry) bool { return a.Route.Key.Compare(b.Route.Key) < 0 }, unlocked),
		failed:     btree.NewBTreeGOptions(func(a, b Failure) bool { return a.Key.Compare(b.Key) < 0 }, unlocked),
	}
}

func (t Table) snapshot() Table { return Table{t.advertised.Copy(), t.failed.Copy()} }

// Len returns the number of advertised routes.
func (t Table) Len() int { return t.advertised.Len() }

// Get returns the advertised route with a key.
func (t Table) Get(key vrf.Key) (Entry, bool) {
	return t.advertised.Get(Entry{Route: vrf.Route{Key: key}})
}

// Failure returns why the speaker did not take what is wanted for a key.
func (t Table) Failure(key vrf.Key) (Failure, bool) { return t.failed.Get(Failure{Key: key}) }

// All yields the advertised routes, ordered by prefix and distinguisher.
func (t Table) All() func(yield func(Entry) bool) {
	return func(yield func(Entry) bool) { t.advertised.Scan(yield) }
}

// Failures yields what the speaker did not take.
func (t Table) Failures() func(yield func(Failure) bool) {
	return func(yield func(Failure) bool) { t.failed.Scan(yield) }
}
