package explain

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const (
	public = "projects/p/networks/public"
	poolA  = public + "/pools/a"
	web    = "projects/p/floatingIps/web"
	web6   = "projects/p/floatingIps/web6"
	cmp1   = "computeNodes/cmp1"
	cmp2   = "computeNodes/cmp2"
	mx1    = "neighbors/mx1"
	mx2    = "neighbors/mx2"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a Snapshot in which web is at cmp1, and mx1 has been sent it and
// announces a default route.
type world struct {
	testing.TB
	Snapshot
	living     lives
	refused    map[string]error             // by key: the speaker does not take it
	awaited    string                       // the compute node that has yet to program all of it
	withheld   map[string]bool              // by key: the speaker has yet to be given it
	deliveries map[string]neighbor.Delivery // by name of a neighbor
	received   map[netip.Addr][]*vrf.Received
}

type lives struct {
	nodes      map[string]inventory.NodeLife
	interfaces map[string]inventory.InterfaceLife // by name
}

func (l lives) Node(name string) inventory.NodeLife              { return l.nodes[name] }
func (l lives) Interface(_, name string) inventory.InterfaceLife { return l.interfaces[name] }

func newWorld(t testing.TB) *world {
	w := &world{TB: t, refused: map[string]error{}, withheld: map[string]bool{}, deliveries: map[string]neighbor.Delivery{}, received: map[netip.Addr][]*vrf.Received{}}
	w.State = inventory.NewState(inventory.Static{})
	w.Table, w.Routers, w.Local = w, w, neighbor.Local{AS: 64512}
	w.Sessions = map[string]*neighbor.Status{}
	w.do(
		inventory.SeedGlobal{AS: 64512},
		inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: prefixes("203.0.113.0/24", "2001:db8::/64"),
			Targets: targets("target:64512:10003"), Reservations: inventory.Reservations{Hosts: inventory.ReserveLast}}},
		inventory.CreatePool{Pool: inventory.Pool{Name: poolA, Ranges: []ipam.Range{ipam.RangeOf(prefixes("203.0.113.0/28")[0])}}},
		inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11")}},
		inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: cmp2, Address: addr("10.0.0.12"), RouterID: addr("10.0.0.12")}},
		inventory.Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.5")},
		inventory.Associate{Name: web, Association: inventory.Association{ComputeNode: cmp1, Interface: "tap0", FixedIP: addr("10.47.0.1"), Label: 100}},
	)
	w.peer("mx1", "10.0.0.1")
	w.announce("mx1", "0.0.0.0/0", "target:64512:10003", 24000)
	return w
}

// peer adds a neighbor with a session.
func (w *world) peer(name, address string) {
	w.do(inventory.CreateNeighbor{Settings: neighbor.Settings{Name: name, Address: addr(address), Port: 179, AS: 64512, Families: neighbor.AllFamilies}})
	w.Sessions[name] = &neighbor.Status{
		State: neighbor.Established, Since: noon,
		OpenSent: &neighbor.Open{Families: neighbor.AllFamilies}, OpenReceived: &neighbor.Open{Families: neighbor.AllFamilies},
		LocalAddress: netip.MustParseAddrPort("10.0.0.2:179"), RemoteAddress: netip.AddrPortFrom(addr(address), 4000),
	}
	n, _ := w.State.Neighbor(inventory.NeighborName(name))
	w.Sessions[name].Settings = n.Settings
}

// lost makes a session one that is not there.
func (w *world) lost(name string, state neighbor.State, cause neighbor.Cause, reason string) {
	s := *w.Sessions[name]
	s.State, s.Cause, s.Reason, s.OpenReceived = state, cause, reason, nil
	w.Sessions[name] = &s
}

// at associates web with cmp2, too.
func (w *world) at2() {
	w.do(inventory.Associate{Name: web, Association: inventory.Association{ComputeNode: cmp2, Interface: "tap2", FixedIP: addr("10.47.0.2"), Label: 200}})
}

func (w *world) lives() {
	w.living = lives{map[string]inventory.NodeLife{}, map[string]inventory.InterfaceLife{}}
	w.Living = w.living
}

// watched makes cmp1 live by a stream.
func (w *world) watched(node inventory.NodeLife, state inventory.InterfaceState, reason string) {
	w.lives()
	session := inventory.Session
	w.do(inventory.UpdateComputeNode{Name: cmp1, Liveness: &session})
	w.living.nodes[cmp1] = node
	w.living.interfaces["tap0"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: state, Reason: reason}}
}

// announce makes a neighbor announce a route.
func (w *world) announce(name, prefix, target string, label vrf.Label) {
	w.Helper()
	n, _ := w.State.Neighbor(inventory.NeighborName(name))
	rd, err := routetarget.ParseDistinguisher("10.255.0.1:1")
	if err != nil {
		w.Fatal(err)
	}
	w.received[n.Address] = append(w.received[n.Address], &vrf.Received{
		Key:    vrf.Key{RD: rd, Prefix: netip.MustParsePrefix(prefix)},
		Source: &vrf.Source{Neighbor: name, Address: n.Address}, Since: noon, Label: label,
		Attributes: unique.Make(vrf.Attributes{NextHop: n.Address, LocalPref: 100, Targets: targets(target)}),
	})
}

// explain asks.
func (w *world) explain(q Question) Explanation {
	w.Helper()
	e, err := w.ask(q)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

func (w *world) ask(q Question) (Explanation, error) {
	imports, all := map[uint16]routetarget.Set{}, []*vrf.Received{}
	for n := range w.State.Networks() {
		imports[n.ID] = n.VRF(64512).Import
	}
	table := vrf.NewImport()
	table.Retarget(imports, slices.Values(all))
	for _, list := range w.received {
		for _, r := range list {
			table.Replace(nil, r)
		}
	}
	w.Imports = table.Tables()
	return Explain(w.Snapshot, q)
}

func (w *world) do(commands ...inventory.Command) {
	w.Helper()
	for _, c := range commands {
		d := inventory.NewDraft(w.State, noon)
		if err := d.Do(c); err != nil {
			w.Fatalf("%T: %v", c, err)
		}
		next, err := d.Next(noon)
		if err == nil {
			w.State, err = next.State()
		}
		if err != nil {
			w.Fatal(err)
		}
	}
}

// Get has every route that is wanted, but for those that are refused or withheld.
func (w *world) Get(key vrf.Key) (vrf.Route, time.Time, bool) {
	for f := range w.State.FloatingIPs("") {
		for _, r := range w.State.LiveRoutesOf(f, w.Living) {
			if r.Key == key && w.refused[key.String()] == nil && !w.withheld[key.String()] {
				return r, noon, true
			}
		}
	}
	return vrf.Route{}, time.Time{}, false
}

func (w *world) Awaits(string) (node string, until time.Time, ok bool) {
	return w.awaited, noon, w.awaited != ""
}

func (w *world) Failure(key vrf.Key) error { return w.refused[key.String()] }

func (w *world) Delivery(a netip.Addr, _ vrf.Key) neighbor.Delivery {
	for n := range w.State.Neighbors() {
		if d, ok := w.deliveries[n.Name]; ok && n.Address == a {
			return d
		}
	}
	return neighbor.Delivery{At: noon}
}

func (w *world) AdjRIBIn(a netip.Addr, _ vrf.Key) iter.Seq[*vrf.Received] {
	return slices.Values(w.received[a])
}

func addr(s string) netip.Addr {
	return netip.MustParseAddr(s)
}

func prefixes(list ...string) (all []netip.Prefix) {
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func targets(list ...string) routetarget.Set {
	var all []routetarget.Target
	for _, s := range list {
		t, err := routetarget.ParseTarget(s)
		if err != nil {
			panic(err)
		}
		all = append(all, t)
	}
	return routetarget.NewSet(all...)
}

// text writes an explanation a line a step, without the times.
func text(e Explanation) string {
	var b strings.Builder
	steps := func(list []Step) {
		for _, s := range list {
			fmt.Fprintf(&b, "%c %s %s\n", []rune("✓✗!–")[s.Status], s.ID, s.Text)
			if s.Next != "" {
				fmt.Fprintf(&b, "  > %s\n", s.Next)
			}
		}
	}
	fmt.Fprintf(&b, "%s\n", e.Summary)
	steps(e.Steps)
	for i := range e.Paths {
		fmt.Fprintf(&b, "at %s %s\n", e.Paths[i].ComputeNode, e.Paths[i].Interface)
		steps(e.Paths[i].Steps)
		for _, h := range e.Paths[i].Hops {
			fmt.Fprintf(&b, "to %s\n", h.Neighbor)
			steps(h.Steps)
		}
	}
	b.WriteString("back\n")
	steps(e.WayBack)
	return b.String()
}
