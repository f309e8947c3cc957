package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/ring"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// The keys of the routes that furnish leads to, and their prefixes.
const (
	web1Key, web1Prefix = "10.0.0.11:1:203.0.113.5/32", "203.0.113.5/32"
	web6Key, web6Prefix = "10.0.0.12:1:2001:db8::5/128", "2001:db8::5/128"
)

// trouble is what can change the state of a floating IP without a commit, and how the
// daemon learns of it.
var trouble = []struct {
	name string
	do   func(l *lab)
	want buoyv1.FloatingIP_State // of web-1
}{
	{"the session comes", func(l *lab) { l.sessions(neighbor.Established, neighbor.Active) }, buoyv1.FloatingIP_ADVERTISED},
	{"the neighbor wants no route any more", func(l *lab) { l.wants("fixed", true) }, buoyv1.FloatingIP_WITHHELD},
	{"it wants them again", func(l *lab) { l.wants("", true) }, buoyv1.FloatingIP_ADVERTISED},
	{"a change is refused", func(l *lab) { l.takes(web1Key, errors.New("no room")) }, buoyv1.FloatingIP_WITHHELD},
	{"it is taken", func(l *lab) { l.takes("", nil) }, buoyv1.FloatingIP_ADVERTISED},
	{"the session is lost", func(l *lab) { l.sessions(neighbor.Active, neighbor.Active) }, buoyv1.FloatingIP_PENDING},
	{"refused without a session", func(l *lab) { l.takes(web1Key, errors.New("no room")) }, buoyv1.FloatingIP_WITHHELD},
	{"taken without a session", func(l *lab) { l.takes("", nil) }, buoyv1.FloatingIP_PENDING},
	{"one comes that wants nothing", func(l *lab) { l.wants("mx1", false); l.sessions(neighbor.Active, neighbor.Established) }, buoyv1.FloatingIP_WITHHELD},
	{"it is lost", func(l *lab) { l.sessions(neighbor.Active, neighbor.Active) }, buoyv1.FloatingIP_PENDING},
	{"both come, and one is being sent its routes", func(l *lab) {
		l.speaker.send(false, func() { l.speaker.waiting = true })
		l.sessions(neighbor.Established, neighbor.Established)
	}, buoyv1.FloatingIP_WITHHELD},
	{"it was sent them", func(l *lab) { l.speaker.send(false, func() { l.speaker.waiting = false }) }, buoyv1.FloatingIP_ADVERTISED},
	{"the one that wants nothing is lost", func(l *lab) { l.sessions(neighbor.Established, neighbor.Active) }, buoyv1.FloatingIP_ADVERTISED},
	{"the speaker is given another route", func(l *lab) { l.gives(web1Key) }, buoyv1.FloatingIP_PENDING},
	{"and has it", func(l *lab) { l.gives("") }, buoyv1.FloatingIP_ADVERTISED},
}

// sessions are those of fixed and of mx1.
func (l *lab) sessions(fixed, mx1 neighbor.State) {
	l.speaker.change(func() {
		l.speaker.sessions = []neighbor.Status{
			session("fixed", fixed, "", neighbor.InetVPN, neighbor.Inet6VPN), session("mx1", mx1, "", neighbor.InetVPN, neighbor.Inet6VPN)}
	})
}

// wants says which neighbor wants no route.
func (l *lab) wants(none string, told bool) {
	do := func() { l.speaker.unwanted = map[string]bool{none: true} }
	if told {
		l.speaker.send(true, do)
	} else {
		l.speaker.change(do)
	}
}

// takes says of which route a change is refused.
func (l *lab) takes(allBut string, err error) {
	l.speaker.mu.Lock()
	l.speaker.stale = map[string]error{allBut: err}
	l.speaker.mu.Unlock()
	l.changes.add(1, web1Prefix, web6Prefix)
}

// gives says which route the speaker is yet to be given.
func (l *lab) gives(allBut string) {
	l.speaker.mu.Lock()
	l.speaker.withheld = map[string]bool{allBut: true}
	l.speaker.mu.Unlock()
	l.changes.add(1, web1Prefix, web6Prefix)
}

// A floating IP is sent again when its state is another one, whatever made it so; also
// to those who were away, and while nobody watched.
func TestWatchesStates(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprint("away=", away), func(t *testing.T) {
			t.Parallel()
			l := newLab(t).furnish(t)
			l.sessions(neighbor.Active, neighbor.Active)
			m := l.mirror(t, "", &buoyv1.WatchRequest{Name: web1})
			if got := m.floatingIP(web1).State; got != buoyv1.FloatingIP_PENDING {
				t.Fatalf("at first: got %v, want PENDING", got)
			}
			for _, tt := range trouble {
				if away {
					m.disconnect()
				}
				tt.do(l)
				if away {
					m.connect()
				}
				m.until(tt.name, func() bool { return m.floatingIP(web1).State == tt.want })
				if got := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}).State; got != tt.want {
					t.Errorf("%s: it is %v, want %v", tt.name, got, tt.want)
				}
			}
		})
	}
}

// When a session is lost all floating IPs are sent, however many: more than the log of
// sightings has room for. Nothing that was not changed is sent again and again.
func TestWatchesStatesMany(t *testing.T) {
	t.Parallel()
	const count = maxDue + 100
	l := newLab(t).furnish(t)
	l.observer.mu.Lock()
	l.observer.log = ring.New[string](maxDue / 2)
	l.observer.mu.Unlock()
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: devNet, Subnets: []string{"20.0.0.0/8"}}})
	var all inventory.Batch
	for i := range count {
		name := fmt.Sprintf("projects/dev/floatingIps/f%d", i)
		all = append(all, inventory.Allocate{Name: name, Network: devNet}, inventory.Associate{Name: name, Association: inventory.Association{
			ComputeNode: cmp1, Interface: "tap7", FixedIP: netip.MustParseAddr("10.47.0.1")}})
	}
	if _, err := l.follower.Execute(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	l.sessions(neighbor.Established, neighbor.Active)
	m := l.mirror(t, "", &buoyv1.WatchRequest{Parent: "projects/dev", Kinds: []string{"floatingIp"}})
	are := func(state buoyv1.FloatingIP_State) func() bool {
		return func() bool {
			n := 0
			for _, r := range m.resources {
				if f, ok := r.(*buoyv1.FloatingIP); ok && f.State == state {
					n++
				}
			}
			return n == count
		}
	}
	if !are(buoyv1.FloatingIP_ADVERTISED)() {
		t.Fatal("at first: want all advertised")
	}
	settle := func(state buoyv1.FloatingIP_State) {
		for so := are(state); !so(); m.mark() {
		}
	}
	l.sessions(neighbor.Active, neighbor.Active)
	settle(buoyv1.FloatingIP_PENDING)
	l.sessions(neighbor.Established, neighbor.Active)
	settle(buoyv1.FloatingIP_ADVERTISED)
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: "projects/dev/floatingIps/f7"})
	for got := m.mark(); got != "f7"; got = m.mark() {
		if got != "" && len(got) < 100 {
			t.Errorf("then: got %s, want f7", got)
		}
	}
}

// Whatever happens, and in whatever order watchers and the observer see it: at last
// everybody has the states that the lists show.
func TestWatchesStatesRandom(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			l, r := newLab(t).furnish(t), rand.New(rand.NewPCG(seed, 3))
			var mirrors []*mirror
			for range 3 {
				mirrors = append(mirrors, l.mirror(t, "", &buoyv1.WatchRequest{}))
			}
			for range 40 {
				for range 1 + r.IntN(6) {
					if r.IntN(4) == 0 {
						l.flip(t, []string{web1, web6}[r.IntN(2)])
					}
					trouble[r.IntN(len(trouble))].do(l)
				}
				if m := mirrors[r.IntN(len(mirrors))]; r.IntN(3) == 0 {
					m.connect()
				}
				for i, m := range mirrors {
					m.until(fmt.Sprint("states of mirror ", i), func() bool {
						return m.stateOf(web1) == l.stateOf(t, web1) && m.stateOf(web6) == l.stateOf(t, web6)
					})
				}
			}
		})
	}
}

// flip associates a floating IP that is not, and the other way round.
func (l *lab) flip(t *testing.T, name string) {
	t.Helper()
	f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name})
	if len(f.Associations) > 0 {
		call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name})
		return
	}
	node, fixed := cmp1, "10.47.255.249"
	if name == web6 {
		node, fixed = cmp2, "fd00::5"
	}
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name, Association: &buoyv1.Association{ComputeNode: node, Interface: "tap9", FixedIp: fixed}})
}

func (l *lab) stateOf(t *testing.T, name string) buoyv1.FloatingIP_State {
	t.Helper()
	return call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name}).State
}

func (m *mirror) stateOf(name string) buoyv1.FloatingIP_State { return m.floatingIP(name).GetState() }
