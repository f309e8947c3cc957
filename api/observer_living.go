package api

// streams is what the observer knows of the streams of compute nodes. It is guarded by
// observer.mu.
type streams struct {
	nodes  map[string]nodeStanding // as they were sent last, or seen
	lived  uint64                  // Life.Changed at the last look
	looked bool
	seen   bool // all were looked at once
}

func newStreams() streams { return streams{nodes: map[string]nodeStanding{}} }

// sawNode is told how a compute node is sent. When that is not how the others know it,
// they are told.
func (o *observer) sawNode(name string, s nodeStanding) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sawNodeLocked(name, s)
}

func (o *observer) sawNodeLocked(name string, s nodeStanding) {
	before, known := o.nodes[name]
	o.nodes[name] = s
	if known && before != s {
		o.note(name)
	}
	if known || o.streams.seen && s.since != "" { // a new one that had a stream since
		o.nodeLocked(name, before, s)
	}
}

// lifeChanged returns what is closed when compute nodes may look different.
func (o *observer) lifeChanged() <-chan struct{} {
	if o.Life == nil {
		return nil
	}
	_, next := o.Life.Changed()
	return next
}

// lookAtNodesLocked looks at the compute nodes, if something has changed since the last
// time. What is new to the inventory is told by whoever made it.
func (o *observer) lookAtNodesLocked() {
	if o.Life == nil {
		return
	}
	count, _ := o.Life.Changed()
	if o.streams.looked && count == o.lived {
		return
	}
	o.streams.looked, o.lived = true, count
	living, state := o.living(), o.Inventory.State()
	for name := range o.nodes {
		if _, ok := state.ComputeNode(name); !ok {
			delete(o.nodes, name)
		}
	}
	for n := range state.ComputeNodes() {
		o.sawNodeLocked(n.Name, standNode(n, living))
	}
	o.streams.seen = true
}
