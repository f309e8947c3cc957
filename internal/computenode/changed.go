package computenode

import (
	"github.com/buoynet/buoy/internal/inventory"
)

// maxPlaces is how many places of a compute node are told one by one; more are all
// of them.
const maxPlaces = 4096

// changed is what has changed since the reader took it. It is part of core.
type changed struct {
	places  map[string]map[string]struct{} // that count otherwise, by compute node; nil: all its interfaces
	unnoted map[string]struct{}            // compute nodes whose notes are out of date
	count   uint64                         // of what looks different
	began   []life                         // states of compute nodes that began
	turned  []Turn                         // interfaces, maxTurns at most
	more    int                            // that have turned beside them
}

// Turn is an interface that is in another state than it was known to be. After is
// InterfaceUnknown if it is gone.
type Turn struct {
	ComputeNode, Interface string
	Before, After          inventory.InterfaceState
	Reason                 string
}

// maxTurns is how many interfaces that turn at once are told one by one.
const maxTurns = 1000

// life is that of a compute node, for the log.
type life struct {
	node string
	inventory.NodeLife
}

func newChanged() changed {
	return changed{places: map[string]map[string]struct{}{}, unnoted: map[string]struct{}{}}
}

// note notes that a compute node looks different.
func (c *changed) note(node string) {
	c.unnoted[node] = struct{}{}
	c.count++
}

// place notes that a place counts otherwise.
func (c *changed) place(node, name string) {
	names, ok := c.places[node]
	switch {
	case !ok:
		c.places[node] = map[string]struct{}{name: {}}
	case len(names) >= maxPlaces:
		c.places[node] = nil
	case names != nil:
		names[name] = struct{}{}
	}
}

// takePlaces returns the places that count otherwise.
func (c *changed) takePlaces() (list []inventory.Place) {
	for node, names := range c.places {
		if names == nil {
			list = append(list, inventory.Place{ComputeNode: node})
		}
		for name := range names {
			list = append(list, inventory.Place{ComputeNode: node, Interface: name})
		}
	}
	c.places = map[string]map[string]struct{}{}
	return list
}

// setLife changes how a compute node is.
func (c *core) setLife(n *node, l inventory.NodeLife) {
	if n.life == l {
		return
	}
	if n.life.State != l.State || l.State == inventory.NodeUp {
		c.began = append(c.began, life{n.name, l})
	}
	n.life = l
	c.lives.Set(n.name, l)
	c.note(n.name)
}

// set puts an interface in the place of another one; nil stands for none.
func (c *core) set(n *node, old, new *iface) {
	if old != nil && new != nil && *old == *new {
		return
	}
	switch {
	case new == nil:
		c.interfaces.Delete(old)
	default:
		c.interfaces.Set(new)
		if new.damping.flaps > 0 {
			n.timed[new.life.Name] = struct{}{}
			n.due = min(n.due, new.due())
		}
	}
	if old == nil || new == nil || old.life != new.life {
		c.note(n.name)
	}
	if old != nil {
		c.turn(n, old, new)
	}
	if n.verdict(old) != n.verdict(new) {
		name := ""
		if name = nameOf(old); new != nil {
			name = nameOf(new)
		}
		c.place(n.name, name)
	}
}

// turn notes that an interface that was known is in another state.
func (c *core) turn(n *node, old, new *iface) {
	t := Turn{ComputeNode: n.name, Interface: old.life.Name, Before: old.life.State}
	if new != nil {
		t.After, t.Reason = new.life.State, new.life.Reason
	}
	switch {
	case t.Before == t.After, new == nil && n.life.State != inventory.NodeUp: // it goes with its compute node
	case len(c.turned) < maxTurns:
		c.turned = append(c.turned, t)
	default:
		c.more++
	}
}

func nameOf(i *iface) string {
	if i == nil {
		return ""
	}
	return i.life.Name
}

// interfacesOf lists the interfaces that something is known of at a compute node.
func (c *core) interfacesOf(node string) []*iface { return interfacesOf(c.interfaces, node) }
