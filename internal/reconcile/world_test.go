package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// feed is an inventory without a store.
type feed struct {
	testing.TB
	mu      sync.Mutex
	state   *inventory.State
	touched map[string]struct{}
	pending time.Time // of the first change that was not taken
	taken   time.Time
	wake    chan struct{}
}

func newFeed(t testing.TB) *feed {
	f := &feed{TB: t, state: inventory.NewState(inventory.Static{}), touched: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	f.do(inventory.SeedGlobal{AS: 64512})
	return f
}

func (f *feed) Wake() <-chan struct{} { return f.wake }

func (f *feed) Take() (*inventory.State, []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	touched := slices.Sorted(maps.Keys(f.touched))
	clear(f.touched)
	f.taken, f.pending = f.pending, time.Time{}
	return f.state.Snapshot(), touched
}

func (f *feed) Committed() time.Time { return f.taken }

// now returns the newest state.
func (f *feed) now() *inventory.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.Snapshot()
}

// do carries out commands; the loop sees all of them at once.
func (f *feed) do(commands ...inventory.Command) {
	f.Helper()
	for _, c := range commands {
		if err := f.try(c); err != nil {
			f.Fatalf("%T: %v", c, err)
		}
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// try does not wake the loop.
func (f *feed) try(c inventory.Command) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	mutations, err := inventory.Plan(f.state, time.Now(), c)
	if err != nil {
		return err
	}
	revision := f.state.Revision() + 1
	var changes []inventory.Change
	for _, m := range mutations {
		switch m.Op {
		case inventory.Put:
			changes = append(changes, inventory.Change{Key: m.Key, Value: m.Value, Version: inventory.Version(revision)})
		case inventory.Delete:
			changes = append(changes, inventory.Change{Key: m.Key})
		}
	}
	if f.pending.IsZero() {
		f.pending = time.Now()
	}
	names, err := f.state.Apply(revision, changes)
	for _, name := range names {
		f.touched[name] = struct{}{}
	}
	return err
}

// world is a loop between a feed and a speaker. Time does not pass by itself.
type world struct {
	*testing.T
	*feed
	lives   *lives
	speaker *speaker
	loop    *Loop
}

// run starts a loop on an inventory, and stops it after the test.
func run(t *testing.T, test func(w *world), before ...inventory.Command) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, feed: newFeed(t), lives: newLives(), speaker: newSpeaker()}
		w.feed.do(before...)
		w.begin(test)
	})
}

// begin starts the loop, and stops it after the test.
func (w *world) begin(test func(w *world)) {
	w.loop = New(w.feed, w.lives, w.speaker, NewChanges(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(w.T.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.loop.Run(ctx) }()
	test(w)
	cancel()
	if err := <-ended; err != nil {
		w.T.Errorf("Run: %v", err)
	}
}

// do carries out commands and waits until the loop is idle.
func (w *world) do(commands ...inventory.Command) {
	w.T.Helper()
	w.feed.do(commands...)
	synctest.Wait()
}

// expect compares the calls since the last time.
func (w *world) expect(what string, want ...string) {
	w.T.Helper()
	synctest.Wait()
	if got := w.speaker.said(); !slices.Equal(got, want) {
		w.T.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// tableTexts shows the table: what is advertised, and what is refused.
func (w *world) tableTexts() (advertised, refused []string) {
	table := w.loop.Table()
	for r := range table.All() {
		advertised = append(advertised, routeText(r))
	}
	for r, err := range table.Failures(vrf.Key{}) {
		refused = append(refused, routeText(r)+": "+err.Error())
	}
	return advertised, refused
}

func (w *world) expectTable(what string, advertised, refused []string) {
	w.T.Helper()
	synctest.Wait()
	a, r := w.tableTexts()
	if !slices.Equal(a, advertised) || !slices.Equal(r, refused) {
		w.T.Errorf("%s:\n got advertised %q\n      refused %q\nwant advertised %q\n      refused %q", what, a, r, advertised, refused)
	}
}

// settled compares everything with what the inventory wants.
func (w *world) settled() {
	w.T.Helper()
	state := w.now()
	routes, membership, neighbors := w.speaker.holds()
	var want []vrf.Route
	imports := routetarget.Set{}
	for f := range state.FloatingIPs("") {
		want = append(want, state.LiveRoutesOf(f, w.lives)...)
	}
	for n := range state.Networks() {
		imports = imports.Union(n.VRF(asOf(state)).Import)
	}
	byKey := func(a, b vrf.Route) int { return a.Key.Compare(b.Key) }
	slices.SortFunc(want, byKey)
	held := slices.SortedFunc(maps.Values(routes), byKey)
	var table []vrf.Route
	for r := range w.loop.Table().All() {
		table = append(table, r)
	}
	if !slices.Equal(held, want) {
		w.T.Errorf("the speaker holds\n     %v\nwant %v", held, want)
	}
	if !slices.Equal(table, want) {
		w.T.Errorf("the table holds\n     %v\nwant %v", table, want)
	}
	for r, err := range w.loop.Table().Failures(vrf.Key{}) {
		w.T.Errorf("%s: left over: %v", r.Key, err)
	}
	if n := w.loop.Table().failed.Len(); n != 0 {
		w.T.Errorf("%d failures are left over", n)
	}
	if membership != imports {
		w.T.Errorf("membership\n got %s\nwant %s", membership, imports)
	}
	var configured []string
	for n := range state.Neighbors() {
		configured = append(configured, fmt.Sprintf("%s@%s", n.Name, n.Address))
	}
	if !slices.Equal(neighbors, configured) {
		w.T.Errorf("neighbors\n got %q\nwant %q", neighbors, configured)
	}
	if problems := w.loop.Problems(); len(problems) != 0 {
		w.T.Errorf("left over: %q", problems)
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }
func ptr[T any](v T) *T           { return &v }

func targets(texts ...string) routetarget.Set {
	var set routetarget.Set
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		panic(err)
	}
	return set
}

// The names of the tests' resources.
const (
	public = "projects/p/networks/public"
	web    = "projects/p/floatingIps/web"
	mail   = "projects/p/floatingIps/mail"
	cmp1   = "computeNodes/cmp1"
	cmp2   = "computeNodes/cmp2"
)

func createNetwork(name string, imports ...string) inventory.Command {
	return inventory.CreateNetwork{Network: inventory.Network{
		Name: name, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.112.0/20")}, ImportTargets: targets(imports...)}}
}

func createNode(name, address string) inventory.Command {
	return inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: name, Address: addr(address)}}
}

func createNeighbor(name, address string) inventory.Command {
	return inventory.CreateNeighbor{Settings: neighbor.Settings{Name: name, Address: addr(address), Port: 179, AS: 64512, Families: neighbor.AllFamilies}}
}

func allocate(name, address string) inventory.Command {
	return inventory.Allocate{Name: name, Network: public, Address: addr(address)}
}

func associate(name, node string, label vrf.Label) inventory.Associate {
	return inventory.Associate{Name: name, Association: inventory.Association{
		ComputeNode: node, Interface: fmt.Sprint("tap", label), FixedIP: addr("10.47.0.1"), Label: label}}
}

func disassociate(name string) inventory.Command { return inventory.Disassociate{Name: name} }

// basics are one network, two compute nodes and two floating IPs, one of them
// associated.
func basics() []inventory.Command {
	return []inventory.Command{
		createNetwork(public), createNode(cmp1, "10.0.0.11"), createNode(cmp2, "10.0.0.12"), createNeighbor("mx1", "10.0.0.1"),
		allocate(web, "203.0.113.5"), allocate(mail, "203.0.113.6"), associate(web, cmp1, 100),
	}
}

// basicRoute is the route of basics, basicCalls what it begins with.
const basicRoute = "10.0.0.11:1:203.0.113.5/32 label 100 via 10.0.0.11 to target:64512:8000001"

var basicCalls = []string{"advertise " + basicRoute, "membership target:64512:8000001", "neighbors mx1@10.0.0.1"}
