package programme

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unique"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ring"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const (
	cmp1 = "computeNodes/cmp1"
	cmp2 = "computeNodes/cmp2"
	red  = "projects/default/networks/red"
	blue = "projects/default/networks/blue"
	web  = "projects/default/floatingIps/web"
	mail = "projects/default/floatingIps/mail"
)

var source = &vrf.Source{Neighbor: "mx1", Address: addr("10.0.0.1"), RouterID: addr("10.0.0.1")}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// world is an inventory and what gateways announce, with logs of a few entries. It is
// the sources of followers.
type world struct {
	testing.TB
	run string

	mu       sync.Mutex
	state    *inventory.State
	shown    ring.Ring[inventory.Shown] // each with the revision behind the one before
	at       ring.Ring[uint64]          // of the entries of shown
	first    uint64                     // no entry is known up to here
	advanced chan struct{}

	imports  *vrf.Import
	received map[netip.Prefix]*vrf.Received
	tables   vrf.Tables
	changed  ring.Ring[vrf.Destination]
	more     chan struct{}

	complete  chan struct{}
	followers *Followers
}

const keptInTests = 60

func newWorld(t testing.TB) *world {
	w := &world{TB: t, state: inventory.NewState(inventory.Static{}), shown: ring.New[inventory.Shown](keptInTests), at: ring.New[uint64](keptInTests),
		advanced: make(chan struct{})}
	w.do(inventory.SeedGlobal{AS: 64512})
	w.restart()
	return w
}

// restart is another run of the daemon: the gateways announce anew.
func (w *world) restart() {
	w.mu.Lock()
	w.run += "x"
	w.imports, w.received = vrf.NewImport(), map[netip.Prefix]*vrf.Received{}
	w.tables = w.imports.Tables()
	w.changed, w.more = ring.New[vrf.Destination](keptInTests), make(chan struct{})
	w.complete = make(chan struct{})
	w.mu.Unlock()
	w.retarget()
	w.followers = NewFollowers(w, w, w.complete)
}

// basics makes two compute nodes and two networks.
func (w *world) basics() *world {
	w.do(inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: cmp1, Address: addr("10.1.0.1")}},
		inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: cmp2, Address: addr("10.1.0.2")}},
		createNetwork(red), createNetwork(blue))
	return w
}

func createNetwork(name string) inventory.Command {
	return inventory.CreateNetwork{Network: inventory.Network{Name: name, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}
}

func associate(name, node string) inventory.Command {
	return inventory.Associate{Name: name, Association: inventory.Association{ComputeNode: node, Interface: "tap-" + name[strings.LastIndex(name, "/")+1:], FixedIP: addr("10.47.0.5")}}
}

// do carries out commands that must succeed.
func (w *world) do(commands ...inventory.Command) {
	w.Helper()
	for _, c := range commands {
		if err := w.try(c); err != nil {
			w.Fatalf("%T: %v", c, err)
		}
	}
}

func (w *world) try(c inventory.Command) error {
	w.mu.Lock()
	mutations, err := inventory.Plan(w.state, time.Unix(int64(w.state.Revision()+1)*100, 0), c)
	if err != nil {
		w.mu.Unlock()
		return err
	}
	revision := w.state.Revision() + 1
	var changes []inventory.Change
	for _, m := range mutations {
		switch m.Op {
		case inventory.Put:
			changes = append(changes, inventory.Change{Key: m.Key, Value: m.Value, Version: inventory.Version(revision)})
		case inventory.Delete:
			changes = append(changes, inventory.Change{Key: m.Key})
		}
	}
	_, shown, err := w.state.ApplyShown(revision, changes)
	for _, s := range shown {
		if w.at.Next()-w.at.First() == keptInTests {
			w.first = w.at.At(w.at.First())
		}
		w.shown.Add(s)
		w.at.Add(revision)
	}
	close(w.advanced)
	w.advanced = make(chan struct{})
	w.mu.Unlock()
	if w.imports != nil {
		w.retarget()
	}
	return err
}

func (w *world) State() *inventory.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Snapshot()
}

func (w *world) ShownSince(revision uint64) (list []inventory.Shown, state *inventory.State, more <-chan struct{}, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := w.at.First(); n < w.at.Next(); n++ {
		if w.at.At(n) > revision {
			list = append(list, w.shown.At(n))
		}
	}
	return list, w.state.Snapshot(), w.advanced, revision >= w.first && revision <= w.state.Revision()
}

// retarget makes each network import its automatic target.
func (w *world) retarget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	imports := map[uint16]routetarget.Set{}
	for id := uint16(1); id < 200; id++ {
		imports[id] = routetarget.Set{}
		if n, ok := w.state.NetworkByID(id); ok {
			imports[id] = n.VRF(64512).Import
		}
	}
	w.imports.Retarget(imports, maps.Values(w.received))
	w.publish()
}

// announce makes a gateway announce a prefix to all networks, or
// withdraw it without a label.
func (w *world) announce(prefix string, label vrf.Label, change ...func(*vrf.Attributes)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := vrf.Key{RD: routetarget.IPv4Distinguisher(addr("10.0.0.1"), 1), Prefix: netip.MustParsePrefix(prefix)}
	var targets []routetarget.Target
	for id := uint16(1); id <= 100; id++ {
		targets = append(targets, routetarget.Automatic(64512, id))
	}
	a := vrf.Attributes{NextHop: addr("10.0.0.1"), Targets: routetarget.NewSet(targets...), LocalPref: 100}
	for _, c := range change {
		c(&a)
	}
	was := w.received[key.Prefix]
	var is *vrf.Received
	if delete(w.received, key.Prefix); label > 0 {
		is = &vrf.Received{Key: key, Source: source, Label: label, Attributes: unique.Make(a)}
		w.received[key.Prefix] = is
	}
	if was != nil || is != nil {
		w.imports.Replace(was, is)
	}
	w.publish()
}

// publish shows what has changed. The caller holds mu.
func (w *world) publish() {
	w.tables = w.imports.Tables()
	for _, d := range w.imports.Touched() {
		w.changed.Add(d)
	}
	close(w.more)
	w.more = make(chan struct{})
}

func (w *world) Tables() vrf.Tables {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tables
}

func (w *world) End() ring.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return ring.Position{Run: w.run, Next: w.changed.Next()}
}

func (w *world) Behind(p ring.Position, most int, wanted func(uint16) bool) (list []vrf.Destination, end ring.Position, more <-chan struct{}, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.Run != w.run || !w.changed.Has(p.Next) {
		return nil, p, nil, false
	}
	for ; p.Next < w.changed.Next() && len(list) < most; p.Next++ {
		if d := w.changed.At(p.Next); wanted(d.VRF) && !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	return list, p, w.more, true
}

// want is what a node must have, from scratch.
func (w *world) want(node string) []string {
	state, tables := w.State(), w.Tables()
	lines, networks := []string{}, map[string]bool{}
	for f := range state.FloatingIPsAt(node) {
		for _, a := range f.Associations {
			if a.ComputeNode == node {
				lines = append(lines, placementText(inventory.Placement{FloatingIP: f, Association: a}))
				networks[f.Network] = true
			}
		}
	}
	n, _ := state.ComputeNode(node)
	for name := range networks {
		in, _ := state.Network(name)
		for prefix, paths := range tables.All(in.ID, netip.Prefix{}) {
			if len(paths.Best) > 0 {
				best := paths.Best[0]
				hop := inventory.NextHop{Address: best.Attributes.Value().NextHop, Label: best.Label,
					Encapsulations: vrf.Agreed(best.Attributes.Value().Encapsulations, in.Encapsulations, n.Encapsulations)}
				lines = append(lines, routeText(inventory.NetworkRoute{
					NetworkPrefix: inventory.NetworkPrefix{Network: name, Prefix: prefix}, NextHops: []inventory.NextHop{hop}}))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func placementText(p inventory.Placement) string {
	return fmt.Sprintf("%s of %s at %s of %s, %s label %d %v", p.Name, p.Network, p.Association.Interface, p.Association.ComputeNode, p.Address, p.Association.Label, p.Direction)
}

func routeText(r inventory.NetworkRoute) string {
	var hops []string
	for _, h := range r.NextHops {
		hops = append(hops, fmt.Sprintf("%s %d %s", h.Address, h.Label, h.Encapsulations))
	}
	return fmt.Sprintf("%s %s via %s", r.Network, r.Prefix, strings.Join(hops, ", "))
}
