package explain

import (
	"fmt"
	"iter"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// Snapshot is what an explanation is made from.
type Snapshot struct {
	State    *inventory.State
	Living   inventory.Living // nil: whoever associates vouches for all
	Table    Table
	Imports  vrf.Tables
	Sessions map[string]*neighbor.Status // by the neighbors' short names; one that is missing is being set up
	Routers  Routers
	Refused  neighbor.Refused // connections from strangers
	Local    neighbor.Local   // our own side, for advice
}

// Table is what the speaker has been given.
type Table interface {
	Get(key vrf.Key) (route vrf.Route, since time.Time, ok bool)
	Failure(key vrf.Key) error
	// Awaits returns which compute node a floating IP's change waits for, and how long at
	// most: it has yet to say that it has programmed it.
	Awaits(floatingIP string) (node string, until time.Time, ok bool)
}

// Routers is what was exchanged with the neighbors.
type Routers interface {
	Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery
	AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received]
}

// Question is what is to be explained: a floating IP, or an address.
type Question struct {
	FloatingIP string // its name; it is there
	Address    netip.Addr
	Network    string     // that has the address; may be empty if only one can be meant
	Neighbor   string     // the name of the only one to look at; empty for all
	Client     netip.Addr // who wants to reach it; may be the zero Addr
	Project    string     // that asks, and learns only what it may see; empty for the operator
}

// The words that the states of floating IPs share with explanations.

// Refusal says that the speaker did not take a route.
func Refusal(key vrf.Key, err error) string {
	return fmt.Sprintf("the speaker refused %s, it is tried again: %v", key, err)
}

// RefusalNext is what to do about it.
const RefusalNext = "it says what is wrong with the route; the daemon's log says since when"

// BeingGiven says what a route of a floating IP waits for that the speaker has yet to take.
func BeingGiven(t Table, floatingIP string, key vrf.Key) string {
	if node, until, ok := t.Awaits(floatingIP); ok {
		return fmt.Sprintf("%s has yet to say that it has programmed the floating IP; %s is advertised at %s at the latest", node, key, clock(until))
	}
	return fmt.Sprintf("the speaker is being given %s", key)
}

// Absence says why a neighbor has nothing at all. The status may be nil.
func Absence(name string, s *neighbor.Status) string {
	if s == nil {
		return name + " is being set up"
	}
	return fmt.Sprintf("%s is %s (%s)", name, s.State, s.Reason)
}

// NoNeighbor says that there is nobody to send a route to.
const NoNeighbor = "no neighbor is configured"
