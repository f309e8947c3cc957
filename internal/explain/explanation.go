package explain

import (
	"time"

	"github.com/buoynet/buoy/vrf"
)

// Explanation is why an address can be reached, or why not.
type Explanation struct {
	FloatingIP string // its name; empty if the address is nobody's, or it is not told whose
	Network    string // that has the address; may be empty

	// Healthy says that one neighbor, of those that were asked for, was sent one
	// route for the address, and has it still.
	Healthy bool
	Summary string // one sentence
	Cause   ID     // the step that the summary is about; None when all is well
	Next    string // what to do about it

	Steps   []Step // what holds for the address itself
	Paths   []Path // one for each association
	WayBack []Step // what holds for packets to the world
}

// Path is the way from the gateways to one association.
type Path struct {
	ComputeNode string
	Interface   string
	Steps       []Step
	Route       *vrf.Route // as it should be; nil if there should be none
	Hops        []Hop      // one for each neighbor that was asked for
}

// Sent reports whether a neighbor has the route.
func (p *Path) Sent() bool {
	for i := range p.Hops {
		if p.Hops[i].Sent() {
			return true
		}
	}
	return false
}

// Hop is the way of a route to one neighbor.
type Hop struct {
	Neighbor string // its resource name
	Steps    []Step
}

// Sent reports whether the neighbor has the route.
func (h *Hop) Sent() bool {
	last := h.Steps[len(h.Steps)-1]
	return last.ID == Sent && last.Status == OK
}

// Step is one thing that must hold.
type Step struct {
	ID     ID
	Status Status
	Text   string    // what was found
	Next   string    // of a step that failed or warns: what to do about it
	Time   time.Time // since when it holds; zero if that is not known
}

// Status is what was found at a step.
type Status uint8

// The statuses.
const (
	OK      Status = iota
	Failed         // it does not hold
	Warning        // it holds, but not as it should, or not for long
	Skipped        // not looked at: a step before it failed
)

// ID names a step. Its text is stable.
type ID uint8

// The steps, in the order in which a route passes them.
const (
	None       ID = iota
	Known         // a network has the address
	InPool        // it may be given to a floating IP
	Allocated     // a floating IP has it
	Associated    // it is at a compute node

	ComputeNode // it is in service
	Interface   // it is up and healthy
	Targets     // that the route carries
	Built       // the route as it should be
	Accepted    // the speaker has it

	Configured  // there is the neighbor
	Reachable   // it answers
	Established // the session is there
	Family      // both sides offered the route's
	Exported    // the neighbor takes such a route, and has room for it
	Wanted      // it asks for one of the targets
	Sent        // and not withdrawn since

	WayBack // a gateway announces where packets to the world go
)

var ids = [...]string{
	"", "known", "pool", "allocated", "associated",
	"compute_node", "interface", "targets", "route", "accepted",
	"configured", "reachable", "established", "family", "export", "wanted", "sent",
	"way_back",
}

func (id ID) String() string { return ids[id] }

// chain is a list of steps that depend on those before them.
type chain []Step

// broken reports whether a step failed.
func (c chain) broken() bool { return c.failure() != nil }

// failure returns the step that failed, or nil.
func (c chain) failure() *Step {
	for i := range c {
		if c[i].Status == Failed {
			return &c[i]
		}
	}
	return nil
}

func (c *chain) ok(id ID, text string, since time.Time) {
	*c = append(*c, Step{ID: id, Text: text, Time: since})
}

func (c *chain) warn(id ID, text, next string) {
	*c = append(*c, Step{ID: id, Status: Warning, Text: text, Next: next})
}

func (c *chain) fail(id ID, text, next string) {
	*c = append(*c, Step{ID: id, Status: Failed, Text: text, Next: next})
}

// skipTo adds the steps that are missing up to one, none of which was looked at.
func (c *chain) skipTo(first, last ID) {
	for id := first; id <= last; id++ {
		if len(*c) == 0 || id > (*c)[len(*c)-1].ID {
			*c = append(*c, Step{ID: id, Status: Skipped})
		}
	}
}
