package doctor

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/buoynet/buoy/internal/explain"
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
	webKey = "10.0.0.11:1:203.0.113.5/32"
	cmp1   = "computeNodes/cmp1"
	cmp2   = "computeNodes/cmp2"
	mx1    = "neighbors/mx1"
	mx2    = "neighbors/mx2"
)

var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errNo    = errors.New("no")
	downtime = noon.Add(-time.Hour)
)

// world is a Snapshot in which all is well: web is at cmp1, and two neighbors have it.
type world struct {
	testing.TB
	Snapshot
	nodes      map[string]inventory.NodeLife
	interfaces map[string]inventory.InterfaceLife // by name
	refused    map[string]error                   // by key: the speaker does not take it
	withheld   map[string]bool                    // by key: the speaker has yet to be given it
	deliveries map[string]neighbor.Delivery       // by name of a neighbor
	received   map[netip.Addr][]*vrf.Received
}

func (w *world) Node(name string) inventory.NodeLife              { return w.nodes[name] }
func (w *world) Interface(_, name string) inventory.InterfaceLife { return w.interfaces[name] }

func newWorld(t testing.TB) *world { return newWorldWith(t, inventory.Static{}) }

func newWorldWith(t testing.TB, static inventory.Static) *world {
	w := &world{TB: t, nodes: map[string]inventory.NodeLife{}, interfaces: map[string]inventory.InterfaceLife{}, refused: map[string]error{},
		withheld: map[string]bool{}, deliveries: map[string]neighbor.Delivery{}, received: map[netip.Addr][]*vrf.Received{}}
	w.State = inventory.NewState(static)
	w.Table, w.Routers, w.Living, w.Local = w, w, w, neighbor.Local{AS: 64512}
	w.Snapshot.Sessions = map[string]*neighbor.Status{}
	w.Judge = w.judge
	w.Machine = Machine{
		Now: noon, Started: noon.Add(-time.Hour), Running: time.Hour, LastRun: noon.Add(-2 * time.Hour), Kernel: Synchronised,
		Configuration: Configured{AS: 64512}, Listen: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:179")},
		NodeSockets: []string{"0.0.0.0:50052"}, Certificates: []Certificate{{"nodes.crt", noon.AddDate(1, 0, 0)}},
		Disk: Disk{Path: "/var/lib/buoy/buoy.db", Size: 3 * mib, Free: 40 * 1024 * mib, Total: 100 * 1024 * mib},
	}
	w.do(
		inventory.SeedGlobal{AS: 64512},
		inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, Targets: target("target:64512:10003")}},
		inventory.CreatePool{Pool: inventory.Pool{Name: poolA, Ranges: []ipam.Range{ipam.RangeOf(netip.MustParsePrefix("203.0.113.16/28"))}}},
		inventory.Allocate{Name: web, Network: public, Address: addr("203.0.113.5")},
	)
	w.node("cmp1", "10.0.0.11")
	w.node("cmp2", "10.0.0.12")
	w.at(web, cmp1, "tap0", 100)
	w.peer("mx1", "10.0.0.1")
	w.peer("mx2", "10.0.0.3")
	return w
}

func (w *world) node(name, address string) {
	w.do(inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: "computeNodes/" + name, Address: addr(address), RouterID: addr(address), Liveness: inventory.DefaultLiveness}})
}

func (w *world) at(fip, node, name string, label vrf.Label) {
	w.do(inventory.Associate{Name: fip, Association: inventory.Association{ComputeNode: node, Interface: name, FixedIP: addr("10.47.0.1"), Label: label}})
}

// watched makes a compute node one that must have a stream.
func (w *world) watched(node string, life inventory.NodeLife) {
	session := inventory.Session
	w.do(inventory.UpdateComputeNode{Name: node, Liveness: &session})
	w.nodes[node] = life
}

// peer adds a neighbor with a session.
func (w *world) peer(name, address string) {
	w.do(inventory.CreateNeighbor{Settings: neighbor.Settings{Name: name, Address: addr(address), Port: 179, AS: 64512, Families: neighbor.AllFamilies}})
	n, _ := w.State.Neighbor(inventory.NeighborName(name))
	w.Snapshot.Sessions[name] = &neighbor.Status{Settings: n.Settings, State: neighbor.Established, Since: downtime,
		OpenSent: &neighbor.Open{Families: neighbor.AllFamilies}, OpenReceived: &neighbor.Open{Families: neighbor.AllFamilies}}
}

// lost makes a session one that is not there.
func (w *world) lost(name string, cause neighbor.Cause, reason string) {
	s := w.Snapshot.Sessions[name]
	s.State, s.Cause, s.Reason, s.OpenReceived = neighbor.Active, cause, reason, nil
}

// set changes the settings of a neighbor, of which a session knows.
func (w *world) set(c inventory.UpdateNeighbor) {
	w.do(c)
	n, _ := w.State.Neighbor(c.Name)
	w.Snapshot.Sessions[n.Name].Settings = n.Settings
}

// announce makes a neighbor announce a route.
func (w *world) announce(name, rd, prefix, nextHop string, label vrf.Label, loop vrf.Loop) {
	n, _ := w.State.Neighbor(inventory.NeighborName(name))
	d, err := routetarget.ParseDistinguisher(rd)
	if err != nil {
		w.Fatal(err)
	}
	w.received[n.Address] = append(w.received[n.Address], &vrf.Received{
		Key: vrf.Key{RD: d, Prefix: netip.MustParsePrefix(prefix)}, Source: &vrf.Source{Neighbor: name, Address: n.Address}, Since: downtime, Label: label,
		Attributes: unique.Make(vrf.Attributes{NextHop: addr(nextHop), Loop: loop}),
	})
}

// judge says what whoever shows states would say, in a few words.
func (w *world) judge(f *inventory.FloatingIP) (State, bool) {
	routes, partly, lacking := w.State.LiveRoutesOf(f, w.Living), false, 0
	for i := range f.Associations {
		if w.State.Standing(&f.Associations[i], w.Living).Withheld != "" {
			partly = true
			lacking++
		}
	}
	state := Advertised
	for _, r := range routes {
		if w.refused[r.Key.String()] != nil {
			return Withheld, partly
		}
		has, hopeless := false, false
		for n := range w.State.Neighbors() {
			if s := w.Snapshot.Sessions[n.Name]; s == nil || s.State != neighbor.Established {
				continue
			}
			d := w.Delivery(n.Address, r.Key)
			has = has || d.Reason == ""
			hopeless = hopeless || d.Reason != "" && !d.Soon
		}
		switch {
		case w.withheld[r.Key.String()]:
			state = max(state, Pending)
		case !has && hopeless:
			state = Withheld
		case !has:
			state = max(state, Pending)
		}
	}
	if lacking == len(f.Associations) {
		state = Withheld
	}
	return state, partly
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
	n, ok := w.State.NetworkByID(vrf.NetworkID(key.RD))
	if !ok {
		return vrf.Route{}, time.Time{}, false
	}
	f, ok := w.State.Holder(n.Name, key.Prefix.Addr())
	if !ok {
		return vrf.Route{}, time.Time{}, false
	}
	for _, r := range w.State.LiveRoutesOf(f, w.Living) {
		if r.Key == key && w.refused[key.String()] == nil && !w.withheld[key.String()] {
			return r, downtime, true
		}
	}
	return vrf.Route{}, time.Time{}, false
}

// Awaits has nobody to wait for.
func (w *world) Awaits(string) (node string, until time.Time, ok bool) { return "", time.Time{}, false }

func (w *world) Failure(key vrf.Key) error { return w.refused[key.String()] }

func (w *world) Delivery(a netip.Addr, _ vrf.Key) neighbor.Delivery {
	for n := range w.State.Neighbors() {
		if d, ok := w.deliveries[n.Name]; ok && n.Address == a {
			return d
		}
	}
	return neighbor.Delivery{At: downtime}
}

func (w *world) AdjRIBIn(a netip.Addr, _ vrf.Key) iter.Seq[*vrf.Received] {
	return slices.Values(w.received[a])
}

var (
	_ explain.Table   = (*world)(nil)
	_ explain.Routers = (*world)(nil)
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func target(s string) routetarget.Set {
	t, err := routetarget.ParseTarget(s)
	if err != nil {
		panic(err)
	}
	return routetarget.NewSet(t)
}

// text writes findings, a line each.
func text(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%c %s %s %s: %s > %s", []rune("✓i!✗")[f.Severity], f.Area, f.ID, f.Subject, f.Cause, f.Remedy)
		if !f.Since.IsZero() {
			fmt.Fprintf(&b, " @%s", f.Since.UTC().Format("15:04"))
		}
		if f.Count > 1 || len(f.Examples) > 0 {
			fmt.Fprintf(&b, " %d %v", f.Count, f.Examples)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
