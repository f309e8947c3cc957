package computenode

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// The names of the tests' compute nodes.
const (
	cmp1 = "computeNodes/cmp1"
	cmp2 = "computeNodes/cmp2"
)

// session is the liveness of most tests: 30 s of silence, 120 s stale.
var (
	session = inventory.Liveness{Mode: inventory.Session, StaleTime: inventory.DefaultStaleTime}
	vouched = inventory.Liveness{}
)

// began is when the tests' clock begins.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is Nodes with an inventory, a disk and a clock that only the test moves.
type world struct {
	testing.TB
	*Nodes
	feed *feed
	disk *disk
	log  strings.Builder

	mu   sync.Mutex
	mono time.Duration
	wall time.Duration // by how much the wall clock was set
}

func newWorld(t testing.TB, policies map[string]inventory.Liveness) *world {
	w := &world{TB: t, feed: newFeed(t), disk: &disk{notes: map[string][]byte{}}}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		w.feed.put(name, policies[name])
	}
	w.start()
	return w
}

// start begins anew with what is on the disk.
func (w *world) start() {
	w.Helper()
	w.feed.everything()
	nodes, err := New(Config{Inventory: w.feed, Notes: w.disk, Clock: w.clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil))})
	if err != nil {
		w.Fatal(err)
	}
	w.Nodes = nodes
	w.Nodes.Take()
}

// restart is a crash, when everything was noted.
func (w *world) restart() {
	w.Helper()
	if err := w.flush(); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	w.wall += w.mono
	w.mono = 0 // it counts from the start
	w.mu.Unlock()
	w.start()
}

func (w *world) clock() (time.Time, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return began.Add(w.wall + w.mono), w.mono
}

// sleep lets time pass. The clock is looked at whenever something is due, and no
// sooner.
func (w *world) sleep(d time.Duration) {
	for d > 0 {
		step := min(d, w.next())
		w.mu.Lock()
		w.mono += step
		w.mu.Unlock()
		w.tick(0)
		d -= step
	}
}

func (w *world) open(node string) *Session {
	w.Helper()
	s, err := w.Open(node, "10.0.0.1:4711", "agent/1")
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// report says how interfaces are: "tap0 up", "tap0 down: cable".
func (w *world) report(s *Session, complete bool, texts ...string) {
	w.Helper()
	var list []inventory.InterfaceReport
	for _, text := range texts {
		text, reason, _ := strings.Cut(text, ": ")
		name, state, _ := strings.Cut(text, " ")
		list = append(list, inventory.InterfaceReport{Name: name, State: inventory.InterfaceState(slices.Index(interfaceStates, state)), Reason: reason})
	}
	if err := s.Report(list, complete); err != nil {
		w.Fatal(err)
	}
}

// told returns the places that count otherwise.
func (w *world) told() []string {
	_, places := w.Take()
	list := []string{}
	for _, p := range places {
		list = append(list, strings.TrimSuffix(inventory.ShortName(p.ComputeNode)+" "+p.Interface, " "))
	}
	slices.Sort(list)
	return list
}

func (w *world) expectTold(what string, want ...string) {
	w.Helper()
	if got := w.told(); !slices.Equal(got, want) {
		w.Errorf("%s: told %q, want %q", what, got, want)
	}
}

// expect compares how a compute node is: "up", or "stale, until 12:02:00: why", and
// its interfaces.
func (w *world) expect(what, node, want string, interfaces ...string) {
	w.Helper()
	life := w.Living().Node(node)
	got := nodeStates[life.State]
	if !life.Until.IsZero() {
		got += ", until " + life.Until.Format(time.TimeOnly)
	}
	if life.Reason != "" {
		got += ": " + life.Reason
	}
	if got != want {
		w.Errorf("%s: %s is %q, want %q", what, node, got, want)
	}
	var list []string
	for _, i := range w.Interfaces(node) {
		text := i.Name + " " + interfaceStates[i.State]
		if i.Reason != "" {
			text += ": " + i.Reason
		}
		if !i.DampedUntil.IsZero() {
			text += ", damped until " + i.DampedUntil.Format(time.TimeOnly)
		}
		if i.Flaps > 0 {
			text += fmt.Sprintf(", %d flaps", i.Flaps)
		}
		list = append(list, text)
	}
	if !slices.Equal(list, interfaces) {
		w.Errorf("%s: the interfaces of %s are\n     %q\nwant %q", what, node, list, interfaces)
	}
}

// disk keeps notes; it fails on demand.
type disk struct {
	mu     sync.Mutex
	notes  map[string][]byte
	failed error
	writes int
	tries  int
}

func (d *disk) LoadNotes() (map[string][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.notes), d.failed
}

func (d *disk) SaveNotes(notes map[string][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tries++; d.failed != nil {
		return d.failed
	}
	d.writes++
	for name, text := range notes {
		if text == nil {
			delete(d.notes, name)
		} else {
			d.notes[name] = text
		}
	}
	return nil
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = err
}
