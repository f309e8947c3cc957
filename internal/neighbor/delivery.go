package neighbor

import "time"

// Delivery says whether a neighbor has a route as it should be now.
type Delivery struct {
	At     time.Time // when it was sent; zero if it was not
	Reason string    // why not, to be read after the neighbor's name
	Soon   bool      // it was not, and will be without anybody's help
}

// Progress counts what may have changed deliveries.
type Progress struct {
	Sent   uint64 // neighbors were sent something: what was to come soon may be there
	Judged uint64 // what a neighbor wants or may have: any delivery may be another one
}
