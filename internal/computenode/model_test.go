package computenode

import (
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// model says the same as Nodes in the plainest way: it remembers what has happened,
// in whole seconds, and works out everything else when it is asked.
type model struct {
	now   int // since the test began; it goes on over restarts
	wall  int // by how much the wall clock was set
	nodes map[string]*modelNode
}

type modelNode struct {
	policy     inventory.Liveness
	state      inventory.NodeState
	session    *Session
	heard      int
	lost       int // by the clock
	lostWall   int // by the wall clock
	restored   bool
	stream     int
	interfaces map[string]*modelInterface
}

type modelInterface struct {
	state      inventory.InterfaceState
	preference inventory.Preference
	stream     int
	flaps      []int
	up         int // when it came up
}

func (m *model) grace(n *modelNode) int {
	switch {
	case n.policy.Mode == inventory.Session:
		return int(n.policy.StaleTime)
	case n.restored:
		return m.hold(n)
	}
	return 0
}

func (m *model) hold(n *modelNode) int {
	if n.policy.HoldTime == 0 {
		return 30
	}
	return int(n.policy.HoldTime)
}

// settle makes down what has been stale for too long.
func (m *model) settle(n *modelNode) {
	if n.state == inventory.NodeStale && m.now-n.lost >= m.grace(n) {
		n.state = inventory.NodeDown
		n.interfaces = map[string]*modelInterface{}
	}
}

func (m *model) lose(n *modelNode) {
	n.state, n.session, n.lost, n.lostWall = inventory.NodeStale, nil, m.now, m.now+m.wall
	m.settle(n)
}

// pass lets a second pass, and returns the sessions that it ends.
func (m *model) pass() (ended []*Session) {
	m.now++
	return m.due()
}

func (m *model) due() (ended []*Session) {
	for _, n := range m.nodes {
		if n.state == inventory.NodeUp && m.now-n.heard >= m.hold(n) {
			ended = append(ended, n.session)
			m.lose(n)
		}
		m.settle(n)
	}
	return ended
}

func (m *model) open(n *modelNode, s *Session) {
	n.state, n.session, n.heard, n.restored = inventory.NodeUp, s, m.now, false
	n.stream++
}

func (m *model) report(n *modelNode, list []inventory.InterfaceReport, complete bool) {
	n.heard = m.now
	for _, r := range list {
		i, ok := n.interfaces[r.Name]
		if !ok {
			i = &modelInterface{}
			n.interfaces[r.Name] = i
		}
		i.is(m.now, r.State)
		i.preference, i.stream = r.Preference, n.stream
	}
	for _, i := range n.interfaces {
		if complete && i.stream != n.stream {
			i.is(m.now, inventory.InterfaceUnknown)
			i.preference = inventory.AsAssociated
		}
	}
}

func (i *modelInterface) is(now int, state inventory.InterfaceState) {
	if i.state == inventory.InterfaceUp && state != inventory.InterfaceUp {
		i.flaps = append(i.flaps, now)
	}
	if i.state != inventory.InterfaceUp && state == inventory.InterfaceUp {
		i.up = now
	}
	i.state = state
}

// damped reports whether the interface counts as down although it is up.
func (i *modelInterface) damped(now int) bool {
	return i.state == inventory.InterfaceUp && now < i.up+i.penalty()
}

// penalty is how long it counts as down after it came up last.
func (i *modelInterface) penalty() int {
	penalty, since := 0, 0 // the first flap after a minute of rest
	for k, at := range i.flaps {
		if k > 0 && at-i.flaps[k-1] >= 60 {
			penalty, since = 0, k
		}
		switch {
		case penalty > 0:
			penalty = min(2*penalty, 32)
		case k-since >= 4 && at-i.flaps[k-4] < 60:
			penalty = 4
		}
	}
	if len(i.flaps) > 0 && i.up-i.flaps[len(i.flaps)-1] >= 60 {
		return 0
	}
	return penalty
}

// restart is a crash.
func (m *model) restart() {
	for _, n := range m.nodes {
		switch n.state {
		case inventory.NodeUp:
			n.state, n.lost, n.lostWall = inventory.NodeStale, m.now, m.now+m.wall
		case inventory.NodeStale: // the wall clock says how long
			n.lostWall = min(n.lostWall, m.now+m.wall)
			n.lost = n.lostWall - m.wall
		}
		n.session, n.restored = nil, true
		for name, i := range n.interfaces {
			if i.flaps = nil; i.state == inventory.InterfaceUnknown {
				delete(n.interfaces, name)
			}
		}
		m.settle(n)
	}
}

// Node and Interface make it an inventory.Living, as far as routes depend on it.

func (m *model) Node(name string) inventory.NodeLife {
	if n, ok := m.nodes[name]; ok {
		return inventory.NodeLife{State: n.state}
	}
	return inventory.NodeLife{}
}

func (m *model) Interface(node, name string) (life inventory.InterfaceLife) {
	n, ok := m.nodes[node]
	if !ok || n.interfaces[name] == nil {
		return life
	}
	i := n.interfaces[name]
	life.State, life.Preference = i.state, i.preference
	if i.damped(m.now) {
		life.DampedUntil = began.Add(time.Hour)
	}
	return life
}
