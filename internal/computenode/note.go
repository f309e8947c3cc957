package computenode

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// note is what the next start must know of a compute node, as JSON.
type note struct {
	State      string          `json:"state"`
	Since      time.Time       `json:"since"`
	Reason     string          `json:"reason,omitempty"`
	Interfaces []interfaceNote `json:"interfaces,omitempty"`
}

type interfaceNote struct {
	Name       string               `json:"name"`
	State      string               `json:"state"`
	Since      int64                `json:"since"` // Unix time in milliseconds
	Reason     string               `json:"reason,omitempty"`
	Preference inventory.Preference `json:"preference,omitempty"` // 1 preferred, 2 backup
}

// The states by their values. These words are on disk.
var (
	nodeStates      = []string{inventory.NodeDown: "down", inventory.NodeStale: "stale", inventory.NodeUp: "up"}
	interfaceStates = []string{inventory.InterfaceUnknown: "unknown", inventory.InterfaceUp: "up", inventory.InterfaceDown: "down",
		inventory.InterfaceUnhealthy: "unhealthy"}
)

// noteOf returns the note on a compute node, or nil when there is nothing to note.
func (l *living) noteOf(name string) []byte {
	life, ok := l.nodes.Get(name)
	if !ok {
		return nil
	}
	n := note{State: nodeStates[life.State], Since: life.Since, Reason: life.Reason}
	for _, i := range interfacesOf(l.interfaces, name) {
		if i.life.State != inventory.InterfaceUnknown {
			n.Interfaces = append(n.Interfaces, interfaceNote{i.life.Name, interfaceStates[i.life.State], i.life.Since.UnixMilli(), i.life.Reason, i.life.Preference})
		}
	}
	text, err := json.Marshal(n)
	if err != nil {
		panic(fmt.Sprintf("computenode: marshal the note on %s: %v", name, err)) // it is plain data
	}
	return text
}

// restoreLocked takes over what was noted by an earlier run. Notes that cannot be
// read, and those on compute nodes that are no more, go.
func (n *Nodes) restoreLocked(now moment, notes map[string][]byte) {
	for name, text := range notes {
		node, ok := n.core.nodes[name]
		if !ok {
			n.core.note(name)
			continue
		}
		if err := n.core.restore(now, node, text); err != nil {
			n.log.Error("the note on a compute node cannot be read; it counts as one that never had a stream", "compute_node", name, "error", err)
			n.core.note(name)
		}
	}
}

// restore makes a compute node what it was, but for its stream: nobody has one yet.
func (c *core) restore(now moment, n *node, text []byte) error {
	var was note
	if err := json.Unmarshal(text, &was); err != nil {
		return err
	}
	state := inventory.NodeState(slices.Index(nodeStates, was.State))
	if int(state) >= len(nodeStates) {
		return fmt.Errorf("unknown state %q", was.State)
	}
	var list []*iface
	for _, i := range was.Interfaces {
		got, err := i.read(n.name)
		if err != nil {
			return fmt.Errorf("interface %q: %w", i.Name, err)
		}
		list = append(list, got)
	}
	since := was.Since
	if since.After(now.wall) {
		since = now.wall // the clock was set
	}
	switch state {
	case inventory.NodeDown:
		c.setLife(n, inventory.NodeLife{Since: since, Reason: was.Reason})
		return nil
	case inventory.NodeUp:
		since, was.Reason = now.wall, "this control node has started anew"
	}
	for _, i := range list {
		c.set(n, nil, i)
	}
	n.lost, n.restored = now.mono-now.wall.Sub(since), true
	c.stale(now, n, inventory.NodeLife{Since: since, Reason: was.Reason})
	return nil
}

// read returns the interface of a note.
func (i interfaceNote) read(node string) (*iface, error) {
	r := inventory.InterfaceReport{Name: i.Name, State: inventory.InterfaceState(slices.Index(interfaceStates, i.State)), Reason: i.Reason, Preference: i.Preference}
	if err := checkReport(r); err != nil {
		return nil, err
	}
	return &iface{node: node, life: inventory.InterfaceLife{InterfaceReport: r, Since: time.UnixMilli(i.Since)}}, nil
}
