package computenode

import (
	"fmt"
	"time"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/internal/inventory"
)

// core is the state machine: what is known of all compute nodes, and what has
// changed since somebody asked. It knows no clock and takes no locks. It is owned by
// Nodes.
type core struct {
	nodes      map[string]*node
	lives      *btree.Map[string, inventory.NodeLife] // of those that have, or had, a stream
	interfaces *btree.BTreeG[*iface]
	streams    uint64 // how many there have been
	changed
}

func newCore() core {
	return core{
		nodes:      map[string]*node{},
		lives:      &btree.Map[string, inventory.NodeLife]{},
		interfaces: btree.NewBTreeGOptions(ifaceBefore, btree.Options{NoLocks: true}),
		changed:    newChanged(),
	}
}

// have makes a compute node known, or changes its policy.
func (c *core) have(now moment, name string, policy inventory.Liveness) {
	n, ok := c.nodes[name]
	if !ok {
		c.nodes[name] = &node{name: name, policy: policy, timed: map[string]struct{}{}, due: never}
		return
	}
	if n.policy == policy {
		return
	}
	n.policy = policy
	if n.life.State == inventory.NodeStale {
		c.stale(now, n, n.life)
	}
	c.rearm(n)
}

// remove forgets a compute node.
func (c *core) remove(n *node) {
	for _, i := range c.interfacesOf(n.name) {
		c.interfaces.Delete(i)
	}
	c.lives.Delete(n.name)
	delete(c.nodes, n.name)
	c.note(n.name)
}

// open begins a stream, in the place of any other.
func (c *core) open(now moment, n *node, address, agent string) {
	c.streams++
	n.stream, n.heard, n.mentioned, n.restored = c.streams, now.mono, 0, false
	n.says, n.has = false, 0
	n.due = min(n.due, n.heard+n.hold())
	c.setLife(n, inventory.NodeLife{State: inventory.NodeUp, Since: now.wall, Address: address, Agent: agent})
}

// lose notes that a compute node has no stream any more.
func (c *core) lose(now moment, n *node, reason string) {
	n.stream, n.lost = 0, now.mono
	c.stale(now, n, inventory.NodeLife{Since: now.wall, Reason: reason})
}

// stale makes a compute node stale, or down if its time has passed already.
func (c *core) stale(now moment, n *node, life inventory.NodeLife) {
	until := n.lost + n.grace()
	if now.mono >= until {
		c.down(now, n, life.Reason)
		return
	}
	n.due = min(n.due, until)
	life.State, life.Until = inventory.NodeStale, now.at(until)
	c.setLife(n, life)
}

// down forgets what a compute node has reported.
func (c *core) down(now moment, n *node, reason string) {
	for _, i := range c.interfacesOf(n.name) {
		c.set(n, i, nil)
	}
	clear(n.timed)
	c.setLife(n, inventory.NodeLife{State: inventory.NodeDown, Since: now.wall, Reason: reason})
}

// report notes what a stream says of interfaces.
func (c *core) report(now moment, n *node, list []inventory.InterfaceReport, complete bool) {
	n.heard = now.mono
	for _, r := range list {
		old, _ := c.interfaces.Get(key(n.name, r.Name))
		if r.State == inventory.InterfaceUnknown {
			c.unmention(now, n, old)
			continue
		}
		i := iface{node: n.name}
		if old != nil {
			i = *old
		}
		if i.stream != n.stream {
			i.stream = n.stream
			n.mentioned++
		}
		i = i.next(now, r)
		c.set(n, old, &i)
	}
	if complete {
		for _, i := range c.interfacesOf(n.name) {
			if i.stream != n.stream {
				c.unmention(now, n, i)
			}
		}
	}
}

// unmention makes an interface unknown. It is remembered as long as its flaps are:
// it could lose them by being left out.
func (c *core) unmention(now moment, n *node, old *iface) {
	if old == nil || old.life.State == inventory.InterfaceUnknown {
		return
	}
	if old.stream == n.stream {
		n.mentioned--
	}
	i := old.next(now, inventory.InterfaceReport{Name: old.life.Name})
	if i.stream = 0; i.damping.flaps == 0 || len(n.timed) >= maxInterfaces {
		delete(n.timed, old.life.Name)
		c.set(n, old, nil)
		return
	}
	c.set(n, old, &i)
}

// excuse gives streams that much more time: we did not listen to them.
func (c *core) excuse(now moment, late time.Duration) {
	for _, n := range c.nodes {
		n.heard = min(n.heard+late, now.mono)
	}
}

// tick does what has become due, and returns the compute nodes whose streams were
// lost.
func (c *core) tick(now moment) (silent []*node) {
	for _, n := range c.nodes {
		if now.mono < n.due {
			continue
		}
		if n.stream != 0 && now.mono-n.heard >= n.hold() {
			c.lose(now, n, fmt.Sprintf("the stream was silent for %s", n.hold()))
			silent = append(silent, n)
		}
		if n.life.State == inventory.NodeStale {
			c.stale(now, n, n.life)
		}
		for name := range n.timed {
			c.timed(now, n, name)
		}
		c.rearm(n)
	}
	return silent
}

// timed brings an interface that has flapped up to now.
func (c *core) timed(now moment, n *node, name string) {
	old, ok := c.interfaces.Get(key(n.name, name))
	if !ok || now.mono < old.due() {
		return
	}
	i := old.later(now)
	if i.damping.flaps > 0 {
		c.set(n, old, &i)
		return
	}
	delete(n.timed, name)
	if i.life.State == inventory.InterfaceUnknown {
		c.set(n, old, nil)
	} else {
		c.set(n, old, &i)
	}
}

// next is when something happens by itself, at the earliest.
func (c *core) next() time.Duration {
	next := never
	for _, n := range c.nodes {
		next = min(next, n.due)
	}
	return next
}

// rearm finds out when something happens to a compute node by itself. In between
// it may be due too early, but never too late: that is cheaper.
func (c *core) rearm(n *node) {
	n.due = never
	if n.stream != 0 {
		n.due = n.heard + n.hold()
	}
	if n.life.State == inventory.NodeStale {
		n.due = n.lost + n.grace()
	}
	for name := range n.timed {
		if i, ok := c.interfaces.Get(key(n.name, name)); ok {
			n.due = min(n.due, i.due())
		}
	}
}
