package ribin

import "github.com/buoynet/buoy/vrf"

// maxNoted is how many changed keys are remembered. With more, all routes are
// compared, which tells routes that are the same apart by their address.
const maxNoted = 4096

// changes are what has not been taken yet of an In.
type changes struct {
	keys []vrf.Key // a key may be there twice
	all  bool      // more keys than are in keys
	gone bool
}

func (c *changes) note(k vrf.Key) {
	switch {
	case c.all:
	case len(c.keys) < maxNoted:
		c.keys = append(c.keys, k)
	default:
		c.keys, c.all = nil, true
	}
}

// tell lets the table know if there is something to take. The caller holds mu.
func (in *In) tell() {
	if in.changes.all || len(in.changes.keys) > 0 {
		in.table.mark(in)
	}
}

// take returns what has changed since the last call.
func (in *In) take() vrf.Update {
	in.mu.Lock()
	defer in.mu.Unlock()
	c := in.changes
	in.changes = changes{}
	return vrf.Update{Of: in, Routes: in.routes.Copy(), Keys: c.keys, All: c.all, Gone: c.gone}
}
