package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// memory is a store: compare-and-swap and nothing else.
type memory struct {
	revision uint64
	keys     map[string]entry
}

type entry struct {
	value   string
	version Version
}

// commit applies the mutations as one and returns what has changed; or it
// names the key whose condition does not hold.
func (m *memory) commit(mutations []Mutation) (changes []Change, conflict string) {
	for _, mutation := range mutations {
		if !m.holds(mutation) {
			return nil, mutation.Key
		}
	}
	version := Version(m.revision + 1)
	for _, mutation := range mutations {
		switch mutation.Op {
		case Put:
			m.keys[mutation.Key] = entry{string(mutation.Value), version}
			changes = append(changes, Change{mutation.Key, mutation.Value, version})
		case Delete:
			if _, ok := m.keys[mutation.Key]; ok {
				delete(m.keys, mutation.Key)
				changes = append(changes, Change{Key: mutation.Key})
			}
		}
	}
	if len(changes) > 0 {
		m.revision++
	}
	return changes, ""
}

func (m *memory) holds(mutation Mutation) bool {
	if mutation.Expect == AnyVersion {
		return true
	}
	if mutation.Op != CheckPrefix {
		return m.keys[mutation.Key].version == mutation.Expect
	}
	for key, e := range m.keys {
		if strings.HasPrefix(key, mutation.Key) && e.version > mutation.Expect {
			return false
		}
	}
	return true
}

// content is everything, as the first event of a watch reports it.
func (m *memory) content() (changes []Change) {
	for key, e := range m.keys {
		changes = append(changes, Change{key, []byte(e.value), e.version})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Key, b.Key) })
	return changes
}

// world is a state and the store that feeds it.
type world struct {
	testing.TB
	store    memory
	state    *State
	fromFile []*Neighbor
}

// newWorld returns a world of AS 64512.
func newWorld(t testing.TB, fromFile ...*Neighbor) *world {
	w := &world{TB: t, store: memory{keys: map[string]entry{}}, state: NewState(fromFile), fromFile: fromFile}
	w.do(SeedGlobal{AS: 64512})
	return w
}

// do expects success. It returns the names of what was touched.
func (w *world) do(commands ...Command) (touched []string) {
	w.Helper()
	for _, c := range commands {
		mutations, err := Plan(w.state, c)
		if err != nil {
			w.Fatalf("%T: %v", c, err)
		}
		touched = append(touched, w.commit(mutations)...)
	}
	return touched
}

// commit expects that there is no conflict.
func (w *world) commit(mutations []Mutation) []string {
	w.Helper()
	changes, conflict := w.store.commit(mutations)
	if conflict != "" {
		w.Fatalf("conflict on %s at revision %d", conflict, w.store.revision)
	}
	touched, err := w.state.Apply(w.store.revision, changes)
	if err != nil {
		w.Fatal(err)
	}
	return touched
}

// restarted returns a state that knows only what the store holds now.
func (w *world) restarted() *State {
	w.Helper()
	s := NewState(w.fromFile)
	if _, err := s.Apply(w.store.revision, w.store.content()); err != nil {
		w.Fatal(err)
	}
	return s
}

// refused expects a certain error.
func (w *world) refused(name string, c Command, want Error) {
	w.Helper()
	mutations, err := Plan(w.state, c)
	var got *Error
	if !errors.As(err, &got) {
		w.Errorf("%s: got %v and %s, want %+v", name, err, text(mutations), want)
		return
	}
	if *got != want {
		w.Errorf("%s:\n got %+v\nwant %+v", name, *got, want)
	}
	if sentence := strings.TrimPrefix(want.Field+": "+want.Message, ": "); got.Error() != sentence {
		w.Errorf("%s: Error() = %q, want %q", name, got.Error(), sentence)
	}
}

// planned expects certain mutations.
func (w *world) planned(name string, c Command, want ...string) {
	w.Helper()
	mutations, err := Plan(w.state, c)
	if err != nil {
		w.Errorf("%s: %v", name, err)
		return
	}
	if got := text(mutations); got != strings.Join(want, "\n") {
		w.Errorf("%s:\n got %s\nwant %s", name, got, strings.Join(want, "\n     "))
	}
}

// text shows mutations, one a line.
func text(mutations []Mutation) string {
	var lines []string
	for _, m := range mutations {
		version := fmt.Sprintf("@%d", m.Expect)
		if m.Expect == AnyVersion {
			version = "@any"
		}
		op := [...]string{Put: "put", Delete: "delete", Check: "check", CheckPrefix: "none above"}[m.Op]
		lines = append(lines, strings.TrimSpace(op+" "+m.Key+version+" "+string(m.Value)))
	}
	return strings.Join(lines, "\n")
}

// The names of the tests' resources.
const (
	public  = "projects/p/networks/public"
	private = "projects/p/networks/private"
	web     = "projects/p/floatingIps/web"
	mail    = "projects/p/floatingIps/mail"
	cmp1    = "computeNodes/cmp1"
	cmp2    = "computeNodes/cmp2"
)

func addr(text string) netip.Addr     { return netip.MustParseAddr(text) }
func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }
func ptr[T any](v T) *T               { return &v }

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, prefix(text))
	}
	return list
}

func targets(texts ...string) routetarget.Set {
	var set routetarget.Set
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		panic(err)
	}
	return set
}

func network(name string, subnets ...string) CreateNetwork {
	return CreateNetwork{Network{Name: name, Subnets: prefixes(subnets...)}}
}

func node(name, address string) CreateComputeNode {
	return CreateComputeNode{ComputeNode{Name: name, Address: addr(address)}}
}

func allocate(name, network, address string) Allocate {
	return Allocate{name, network, addr(address)}
}

func associate(name, node, iface string, label vrf.Label) Associate {
	return Associate{name, Association{ComputeNode: node, Interface: iface, FixedIP: addr("10.47.0.5"), Label: label}}
}

func settings(name, address string) neighbor.Settings {
	return neighbor.Settings{Name: name, Address: addr(address), Port: 179, AS: 64512, Families: neighbor.AllFamilies}
}
