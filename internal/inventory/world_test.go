package inventory

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// world is a state and the store that feeds it.
type world struct {
	testing.TB
	store  memory
	state  *State
	static Static
	now    time.Time
}

// now is when most tests begin.
var now = time.Unix(1_000_000_000, 0)

// newWorld returns a world of AS 64512.
func newWorld(t testing.TB, fromFile ...*Neighbor) *world {
	w := &world{TB: t, store: memory{keys: map[string]entry{}}, static: Static{Neighbors: fromFile}, now: now}
	w.state = NewState(w.static)
	w.do(SeedGlobal{AS: 64512})
	return w
}

// do expects success. It returns the names of what was touched.
func (w *world) do(commands ...Command) (touched []string) {
	w.Helper()
	for _, c := range commands {
		mutations, err := Plan(w.state, w.now, c)
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

// draft expects the success of commands that make one commit.
func (w *world) draft(commands ...Command) []Mutation {
	w.Helper()
	d := NewDraft(w.state, w.now)
	for _, c := range commands {
		if err := d.Do(c); err != nil {
			w.Fatalf("%T: %v", c, err)
		}
	}
	return d.Mutations()
}

// restart forgets all but what the store holds.
func (w *world) restart() {
	w.state = w.restarted()
	for key, e := range w.store.keys {
		w.store.keys[key] = entry{e.value, e.version, e.version}
	}
}

// restarted returns a state that knows only what the store holds now.
func (w *world) restarted() *State {
	w.Helper()
	s := NewState(w.static)
	if _, err := s.Apply(w.store.revision, w.store.content()); err != nil {
		w.Fatal(err)
	}
	return s
}

// refused expects a certain error.
func (w *world) refused(name string, c Command, want Error) {
	w.Helper()
	mutations, err := Plan(w.state, w.now, c)
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
	mutations, err := Plan(w.state, w.now, c)
	if err != nil {
		w.Errorf("%s: %v", name, err)
		return
	}
	w.mutates(name, mutations, want...)
}

func (w *world) mutates(name string, mutations []Mutation, want ...string) {
	w.Helper()
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

	poolA    = public + "/pools/a"
	poolB    = public + "/pools/b"
	devBound = "namespaces/dev/poolBinding"
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

// external is a network that makes a pool.
func external(name string, subnets ...string) CreateNetwork {
	return CreateNetwork{Network{Name: name, Subnets: prefixes(subnets...), External: true}}
}

// reserving is a network that keeps hosts back.
func reserving(hosts ReservedHosts, name string, subnets ...string) CreateNetwork {
	return CreateNetwork{Network{Name: name, Subnets: prefixes(subnets...), Reservations: Reservations{Hosts: hosts}}}
}

func ranges(texts ...string) (list []ipam.Range) {
	for _, text := range texts {
		r, err := ipam.ParseRange(text)
		if err != nil {
			panic(err)
		}
		list = append(list, r)
	}
	return list
}

func pool(name string, texts ...string) CreatePool {
	return CreatePool{Pool{Name: name, Ranges: ranges(texts...)}}
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		list = append(list, addr(text))
	}
	return list
}

// fip names a floating IP of project p.
func fip(id any) string { return FloatingIPName("p", fmt.Sprint(id)) }

func node(name, address string) CreateComputeNode {
	return CreateComputeNode{ComputeNode{Name: name, Address: addr(address), Liveness: DefaultLiveness}}
}

func allocate(name, network, address string) Allocate {
	return Allocate{Name: name, Network: network, Address: addr(address)}
}

func associate(name, node, iface string, label vrf.Label) Associate {
	return Associate{name, Association{ComputeNode: node, Interface: iface, FixedIP: addr("10.47.0.5"), Label: label}}
}

func settings(name, address string) neighbor.Settings {
	return neighbor.Settings{Name: name, Address: addr(address), Port: 179, AS: 64512, Families: neighbor.AllFamilies}
}
