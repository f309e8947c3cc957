package computenode

import (
	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/internal/inventory"
)

// living is a snapshot. The trees are copies that nobody changes.
type living struct {
	nodes      *btree.Map[string, inventory.NodeLife]
	interfaces *btree.BTreeG[*iface]
}

// Node implements inventory.Living.
func (l *living) Node(name string) inventory.NodeLife {
	life, _ := l.nodes.Get(name)
	return life
}

// Interface implements inventory.Living.
func (l *living) Interface(node, name string) inventory.InterfaceLife {
	if i, ok := l.interfaces.Get(key(node, name)); ok {
		return i.life
	}
	return inventory.InterfaceLife{}
}

// interfacesOf lists the interfaces of a compute node in the order of their names.
func interfacesOf(tree *btree.BTreeG[*iface], node string) (list []*iface) {
	tree.Ascend(key(node, ""), func(i *iface) bool {
		if i.node != node {
			return false
		}
		list = append(list, i)
		return true
	})
	return list
}

// livingLocked returns a snapshot of what is known now. It takes constant time.
func (n *Nodes) livingLocked() *living {
	if n.snapshot == nil || n.snapshotOf != n.core.count {
		n.snapshot, n.snapshotOf = &living{n.core.lives.Copy(), n.core.interfaces.Copy()}, n.core.count
	}
	return n.snapshot
}

// Living returns a snapshot of what is known now.
func (n *Nodes) Living() inventory.Living {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.livingLocked()
}

// Interfaces returns what is known of the interfaces of a compute node, in the order
// of their names.
func (n *Nodes) Interfaces(node string) (list []inventory.InterfaceLife) {
	n.mu.Lock()
	seen := n.livingLocked()
	n.mu.Unlock()
	for _, i := range interfacesOf(seen.interfaces, node) {
		if i.life.State != inventory.InterfaceUnknown {
			list = append(list, i.life)
		}
	}
	return list
}

// Wake delivers when there is something to take.
func (n *Nodes) Wake() <-chan struct{} { return n.wake }

// Take returns a snapshot, and the places that count otherwise since the last call.
// It has one reader.
func (n *Nodes) Take() (inventory.Living, []inventory.Place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.livingLocked(), n.core.takePlaces()
}

// Behind reports whether a compute node has yet to say that it has programmed what the
// store had at a revision. Of one that never says so, and of one without a stream, nothing
// is expected.
func (n *Nodes) Behind(node string, revision uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	of, ok := n.core.nodes[node]
	return ok && of.stream != 0 && of.says && of.has < revision
}

// Changed counts what has looked different. The channel is closed at the next time.
func (n *Nodes) Changed() (count uint64, next <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.core.count, n.advanced
}
