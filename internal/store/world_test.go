package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
)

// patience is how long something may take before a test fails. No test waits
// for it otherwise.
const patience = 30 * time.Second

// The names of the tests' resources.
const (
	public = "projects/p/networks/public"
	web    = "projects/p/floatingIps/web"
	mail   = "projects/p/floatingIps/mail"
	cmp1   = "computeNodes/cmp1"
	cmp2   = "computeNodes/cmp2"
	static = "neighbors/static"
)

var fromFile = inventory.Static{Neighbors: []*inventory.Neighbor{{Settings: neighbor.Settings{
	Name: "static", Address: netip.MustParseAddr("10.0.0.9"), Port: 179, AS: 64512, Families: neighbor.AllFamilies}}}}

func openBolt(t testing.TB) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "buoy.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// world is a follower that runs.
type world struct {
	testing.TB
	*store.Follower
	ended  chan struct{}
	err    error // of Run, once ended
	cancel context.CancelFunc
}

// follow runs a follower until the test ends.
func follow(t testing.TB, s store.Store) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{TB: t, Follower: store.NewFollower(s, fromFile, time.Now), ended: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(w.ended)
		w.err = w.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-w.ended
	})
	return w
}

// seeded is a follower of a new store that belongs to AS 64512.
func seeded(t testing.TB, s store.Store) *world {
	w := follow(t, s)
	<-w.Ready()
	w.do(inventory.SeedGlobal{AS: 64512})
	return w
}

// do expects success and returns the last state.
func (w *world) do(commands ...inventory.Command) (state *inventory.State) {
	w.Helper()
	for _, c := range commands {
		var err error
		if state, err = w.Execute(context.Background(), c); err != nil {
			w.Fatalf("%T: %v", c, err)
		}
	}
	return state
}

// stop ends the follower as its owner does.
func (w *world) stop() {
	w.Helper()
	w.cancel()
	if err := w.runError(); err != nil {
		w.Errorf("Run: %v", err)
	}
}

// runError waits until Run has returned.
func (w *world) runError() error {
	w.Helper()
	select {
	case <-w.ended:
	case <-time.After(patience):
		w.Fatal("Run does not return")
	}
	return w.err
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func network(name string) inventory.Command {
	return inventory.CreateNetwork{Network: inventory.Network{Name: name, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}
}

func node(name, address string) inventory.Command {
	return inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: name, Address: addr(address)}}
}

func allocate(name, address string) inventory.Command {
	return inventory.Allocate{Name: name, Network: public, Address: addr(address)}
}

func associate(name, node, iface string) inventory.Command {
	return inventory.Associate{Name: name, Association: inventory.Association{
		ComputeNode: node, Interface: iface, FixedIP: addr("10.47.0.1"), Label: 100}}
}

// interposed does something before each commit of another store.
type interposed struct {
	store.Store
	mu     sync.Mutex
	before []func() // one for each commit; those that come later go through
}

func (s *interposed) Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	s.mu.Lock()
	before := func() {}
	if len(s.before) > 0 {
		before, s.before = s.before[0], s.before[1:]
	}
	s.mu.Unlock()
	before()
	return s.Store.Commit(ctx, mutations, steps...)
}

// scripted is a store whose watches report what the test says.
type scripted struct {
	events chan any // a store.Event, or the error that ends the watch
	commit func([]inventory.Mutation) (uint64, error)
}

func newScripted() *scripted { return &scripted{events: make(chan any)} }

func (s *scripted) Watch(ctx context.Context, fn func(store.Event) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-s.events:
			if err, ok := e.(error); ok {
				return err
			}
			if err := fn(e.(store.Event)); err != nil {
				return err
			}
		}
	}
}

func (s *scripted) Commit(_ context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	if s.commit == nil {
		return 0, errors.New("no commit was expected")
	}
	return s.commit(mutations)
}

func (s *scripted) Close() error { return nil }

func (s *scripted) Record(...history.Event)                             {}
func (s *scripted) Kept() (first, next uint64, changed <-chan struct{}) { return 1, 1, nil }
func (s *scripted) Events(uint64, int) ([]history.Event, error)         { return nil, nil }

// resource is a change that puts a resource.
func resource(key string, version inventory.Version, v any) inventory.Change {
	value, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %s: %v", key, err))
	}
	return inventory.Change{Key: key, Value: value, Version: version}
}
