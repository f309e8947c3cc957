package programme

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// partSize is how many floating IPs or routes a part has at most.
const partSize = 1000

// Follower is one stream of a compute node. Its methods are for one goroutine, which
// owns all fields but woken.
type Follower struct {
	*Followers
	node  string        // computeNodes/NAME
	woken chan struct{} // holds a token when there may be something to tell

	stage          stage
	allowed        vrf.Encapsulations  // by the compute node; empty = any
	told           map[string]*network // floating IPs by name, and their networks
	networks       map[string]*network // those whose routes are told, by name
	byID           map[uint16]*network
	place          place // everything up to there was told, but for what follows
	looking        []string
	known          map[string]bool // what of looking the node has as it is; nil but after a resume
	tables         []*network      // whose whole table is to be told
	from           netip.Prefix    // of the first of tables: where to go on
	beginning, due bool            // the snapshot's begin, or a token, has not been told
	owed           bool            // nor that everything up to the revision of place was
	token          place           // the last one that was told
}

// network is one that a node has floating IPs of.
type network struct {
	name           string
	id             uint16
	encapsulations vrf.Encapsulations
	floatingIPs    int
}

// stage is how far the snapshot is.
type stage uint8

const (
	beginning stage = iota
	placing         // floating IPs are told
	routing         // routes are told, or not complete yet
	following
)

// Follow begins to follow for a compute node. With a token, floating IPs and networks are
// what the node has at that place. It reports whether the changes since follow; if not, a
// snapshot does. It is followed by Close.
func (fs *Followers) Follow(node, token string, floatingIPs, networks []string) (f *Follower, resumed bool, err error) {
	f = &Follower{Followers: fs, node: node, woken: make(chan struct{}, 1)}
	f.forget()
	if token != "" {
		at, err := parsePlace(token)
		if err != nil {
			return nil, false, err
		}
		resumed = f.resume(at, floatingIPs, networks)
	}
	fs.enter(f)
	return f, resumed, nil
}

// Close ends the follower.
func (f *Follower) Close() {
	f.leave(f)
	f.forget()
}

// forget forgets what was told: a snapshot follows.
func (f *Follower) forget() {
	for id := range f.byID {
		f.leaveNetwork(id, f)
	}
	f.stage, f.beginning = beginning, true
	f.told, f.networks, f.byID = map[string]*network{}, map[string]*network{}, map[uint16]*network{}
	f.looking, f.known, f.tables, f.from = nil, nil, nil, netip.Prefix{}
}

// Next waits until there is something to tell, and returns the next part of it. Parts
// share what is in them: they must not be changed.
func (f *Follower) Next(ctx context.Context) (inventory.Programme, error) {
	for {
		if p, ok := f.next(); ok {
			f.beginning = false
			return p, nil
		}
		select {
		case <-f.woken:
		case <-ctx.Done():
			return inventory.Programme{}, ctx.Err()
		}
	}
}

// next returns the next part, if there is one.
func (f *Follower) next() (p inventory.Programme, ok bool) {
	for {
		p = inventory.Programme{BeginOfSnapshot: f.beginning}
		switch {
		case f.stage == beginning:
			f.begin()
			continue
		case f.stage == placing || len(f.looking) > 0:
			f.tellFloatingIPs(&p)
		case len(f.tables) > 0:
			f.tellTable(&p)
		default:
			complete := f.isComplete() // before the logs are read: what they have belongs to it
			again, moved := f.readInventory(), f.tellChanges(&p)
			if f.stage == beginning || again && isEmpty(&p) {
				continue
			}
			if !again && !moved {
				return f.rest(p, complete)
			}
		}
		f.mark(&p)
		if !isEmpty(&p) || p.BeginOfSnapshot || p.EndOfFloatingIPs || p.ResumeToken != "" || p.Revision != 0 {
			return p, true
		}
	}
}

// rest returns what is to be told when all that is known was told.
func (f *Follower) rest(p inventory.Programme, complete bool) (inventory.Programme, bool) {
	if f.stage == routing && complete {
		f.stage, f.due, p.EndOfRoutes = following, true, true
	}
	if f.stage == following && (f.due || f.place.far(f.token)) {
		f.due = true
		f.mark(&p)
		return p, true
	}
	return p, false
}

// mark gives a part the revision and the token of its place, if the node has everything up
// to there.
func (f *Follower) mark(p *inventory.Programme) {
	if f.owed && f.stage >= routing && len(f.looking)+len(f.tables) == 0 {
		f.owed, p.Revision = false, f.place.revision
	}
	if !isEmpty(p) {
		f.due = true
	}
	if f.due && f.stage == following && len(f.looking)+len(f.tables) == 0 {
		f.token, f.due, p.ResumeToken = f.place, false, f.place.String()
	}
}

// isEmpty reports whether there is nothing to programme in a part.
func isEmpty(p *inventory.Programme) bool {
	return len(p.RemovedFloatingIPs)+len(p.RemovedNetworks)+len(p.Withdrawn)+len(p.FloatingIPs)+len(p.Routes) == 0
}

func (f *Follower) isComplete() bool {
	select {
	case <-f.complete:
		return true
	default:
		return false
	}
}

// begin begins a snapshot. What changes from here on is told behind it, once more if
// need be.
func (f *Follower) begin() {
	f.place.at = f.routes.End()
	state := f.inventory.State()
	f.place.revision = state.Revision()
	f.stage, f.due, f.owed = placing, false, true
	f.allowed = allowedBy(state, f.node)
	for fip := range state.FloatingIPsAt(f.node) {
		f.looking = append(f.looking, fip.Name)
	}
}

// allowedBy returns the encapsulations of a compute node; any of one that is not there.
func allowedBy(state *inventory.State, node string) vrf.Encapsulations {
	if n, ok := state.ComputeNode(node); ok {
		return n.Encapsulations
	}
	return 0
}

// resume goes on where the node was, if that is known here. It is not when the daemon was
// restarted, when too much has changed, and when the node or one of its networks was
// changed itself: the network may be another one by now.
func (f *Follower) resume(at place, floatingIPs, networks []string) bool {
	_, _, _, ok := f.routes.Behind(at.at, 0, nil)
	shown, state, _, also := f.inventory.ShownSince(at.revision)
	if !ok || !also {
		return false
	}
	changed := make(map[string]bool, len(shown))
	for _, s := range shown {
		changed[s.Name] = true
	}
	if changed[f.node] || slices.ContainsFunc(networks, func(name string) bool { return changed[name] }) {
		return false
	}
	f.stage, f.beginning, f.due, f.owed = following, false, true, true
	f.place, f.token = place{state.Revision(), at.at}, at
	f.allowed = allowedBy(state, f.node)
	for _, name := range networks {
		n := &network{name: name}
		if in, ok := state.Network(name); ok {
			n = &network{name: in.Name, id: in.ID, encapsulations: in.Encapsulations}
		}
		f.addNetwork(n)
	}
	f.known = map[string]bool{}
	elsewhere := &network{} // where the node has had them is all the same
	for fip := range state.FloatingIPsAt(f.node) {
		f.told[fip.Name] = elsewhere
		f.known[fip.Name] = false
	}
	for _, name := range floatingIPs {
		if _, here := f.known[name]; here {
			f.known[name] = !changed[name]
		} else {
			f.told[name] = elsewhere // until it is looked at
		}
	}
	f.looking = slices.Sorted(maps.Keys(f.told))
	return true
}
