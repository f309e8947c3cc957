package programme

import (
	"maps"
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
)

// mirror is a compute node: it keeps what it was told, over lost streams, too.
type mirror struct {
	testing.TB
	node     string
	follower *Follower // nil without a stream

	floatingIPs   map[string]inventory.Placement
	routes        map[inventory.NetworkPrefix]inventory.NetworkRoute
	newIPs        map[string]bool // mentioned in the snapshot; nil outside of one
	newRoutes     map[inventory.NetworkPrefix]bool
	token         string
	at            map[string]bool // networks whose routes it had at the token, and still has
	revision      uint64          // the last one that was told
	parts, told   int
	snapshotBegan int
}

func newMirror(t testing.TB, node string) *mirror {
	return &mirror{TB: t, node: node, floatingIPs: map[string]inventory.Placement{}, routes: map[inventory.NetworkPrefix]inventory.NetworkRoute{}}
}

// connect opens a stream, with what the node has.
func (m *mirror) connect(fs *Followers) (resumed bool) {
	m.Helper()
	m.disconnect()
	m.revision = 0
	for key := range m.routes {
		if !m.at[key.Network] {
			m.token = "" // it has a part of this one
		}
	}
	var names, networks []string
	if m.token != "" {
		names, networks = slices.Sorted(maps.Keys(m.floatingIPs)), slices.Sorted(maps.Keys(m.at))
	}
	var err error
	m.follower, resumed, err = fs.Follow(m.node, m.token, names, networks)
	if err != nil {
		m.Fatal(err)
	}
	return resumed
}

func (m *mirror) disconnect() {
	if m.follower != nil {
		m.follower.Close()
		m.follower = nil
	}
}

// read takes parts, all there are if most is negative.
func (m *mirror) read(most int) {
	m.Helper()
	for ; most != 0; most-- {
		p, ok := m.follower.next()
		if !ok {
			return
		}
		m.follower.beginning = false
		m.take(p)
	}
}

func (m *mirror) take(p inventory.Programme) {
	m.Helper()
	size := len(p.RemovedFloatingIPs) + len(p.FloatingIPs)
	if routes := len(p.Withdrawn) + len(p.Routes); size > partSize || routes > partSize {
		m.Errorf("a part has %d floating IPs and %d routes", size, routes)
	}
	m.parts++
	m.told += len(p.FloatingIPs) + len(p.Routes) + len(p.RemovedFloatingIPs) + len(p.Withdrawn) + len(p.RemovedNetworks)
	if p.BeginOfSnapshot {
		m.snapshotBegan++
		m.newIPs, m.newRoutes, m.token, m.at = map[string]bool{}, map[inventory.NetworkPrefix]bool{}, "", nil
	}
	for _, name := range p.RemovedFloatingIPs {
		delete(m.floatingIPs, name)
	}
	for _, name := range p.RemovedNetworks {
		maps.DeleteFunc(m.routes, func(k inventory.NetworkPrefix, _ inventory.NetworkRoute) bool { return k.Network == name })
		delete(m.at, name)
	}
	for _, k := range p.Withdrawn {
		delete(m.routes, k)
	}
	for _, f := range p.FloatingIPs {
		m.floatingIPs[f.Name] = f
		if m.newIPs != nil {
			m.newIPs[f.Name] = true
		}
	}
	for _, r := range p.Routes {
		if len(r.NextHops) == 0 || r.NextHops[0].Encapsulations == 0 {
			m.Errorf("a route that leads nowhere: %+v", r)
		}
		m.routes[r.NetworkPrefix] = r
		if m.newRoutes != nil {
			m.newRoutes[r.NetworkPrefix] = true
		}
	}
	if p.EndOfFloatingIPs {
		maps.DeleteFunc(m.floatingIPs, func(k string, _ inventory.Placement) bool { return !m.newIPs[k] })
		m.newIPs = nil
	}
	if p.EndOfRoutes && !m.follower.isComplete() {
		m.Error("the routes are said to be complete, and are not")
	}
	if p.EndOfRoutes {
		maps.DeleteFunc(m.routes, func(k inventory.NetworkPrefix, _ inventory.NetworkRoute) bool { return !m.newRoutes[k] })
		m.newRoutes = nil
	}
	if p.Revision != 0 {
		m.revision = p.Revision
		for f := range m.follower.inventory.State().FloatingIPsAt(m.node) {
			if _, has := m.floatingIPs[f.Name]; !has && uint64(f.Version) <= p.Revision {
				m.Errorf("revision %d was told without %s, which is from %d", p.Revision, f.Name, f.Version)
			}
		}
	}
	if p.ResumeToken != "" {
		if m.newRoutes != nil || m.newIPs != nil {
			m.Error("a token within a snapshot")
		}
		m.token, m.at = p.ResumeToken, map[string]bool{}
		for _, f := range m.floatingIPs {
			m.at[f.Network] = true
		}
	}
}

// text is what it has, as world.want says it.
func (m *mirror) text() []string {
	lines := []string{}
	for _, f := range m.floatingIPs {
		lines = append(lines, placementText(f))
	}
	for _, r := range m.routes {
		lines = append(lines, routeText(r))
	}
	slices.Sort(lines)
	return lines
}
