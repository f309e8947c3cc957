package neighbor

import "time"

// Delivery says whether a neighbor has a route as it should be now.
type Delivery struct {
	At     time.Time // when it was sent; zero if it was not
	Reason string    // why not, to be read after the neighbor's name
	Soon   bool      // it was not, and will be without anybody's help
	Check  Check     // the first that it did not pass
	// Since is since when the neighbor has been sent something, and not yet all that it is to
	// have; zero if that is not why, or not known.
	Since time.Time
}

// Check is what a route has to pass on its way to a neighbor.
type Check uint8

// The checks, in their order.
const (
	CheckNone       Check = iota // it has passed all of them
	CheckSession                 // there is a session
	CheckRoute                   // the speaker has the route
	CheckFamily                  // both sides offered its family
	CheckNextHop                 // the neighbor takes its next hop
	CheckMembership              // the neighbor wants one of its targets (RFC 4684)
	CheckMaximum                 // there is room for it
	CheckSent                    // it was sent
)

// Progress counts what may have changed deliveries.
type Progress struct {
	Sent   uint64 // neighbors were sent something: what was to come soon may be there
	Judged uint64 // what a neighbor wants or may have: any delivery may be another one
}
