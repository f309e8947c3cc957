package computenode

import (
	"context"

	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Program carries out a batch. Batches come one after the other, never two at once.
// The context is that of Run: a lost stream interrupts nothing.
//
// After an error the batch may have been carried out in part, and nobody knows which.
// Everything that it named comes again, with a snapshot: as a change with the same Old,
// or as removed. So Program must look for what is there by the name of a floating IP, and
// by the network and prefix of a route, and replace that; and what is to be removed may
// be gone already.
type Program func(ctx context.Context, b Batch) error

// Batch is what to program at once, in the order of the fields: what is removed may make
// room for what is new. What it points to is shared and must not be changed.
type Batch struct {
	// As they were.
	RemovedFloatingIPs []*buoyv1.NodeFloatingIP
	RemovedRoutes      []*buoyv1.NodeRoute
	// Networks that have neither a floating IP nor a route on this node any more: what was
	// made for them, like a VRF, may go.
	RemovedNetworks []string
	FloatingIPs     []Change[*buoyv1.NodeFloatingIP]
	Routes          []Change[*buoyv1.NodeRoute]
	// All floating IPs of this node have been named by now, or all its routes. Whatever else
	// an earlier run of the agent has left behind may go, and not before. It is said at the
	// end of each snapshot, also if nothing has changed.
	AllFloatingIPs, AllRoutes bool
}

// Change is a new or changed one. Old is nil unless it was programmed before.
type Change[T proto.Message] struct{ Old, New T }

// isEmpty reports whether there is nothing in a batch that Program should know.
func (b *Batch) isEmpty() bool {
	return len(b.RemovedFloatingIPs)+len(b.RemovedRoutes)+len(b.RemovedNetworks)+len(b.FloatingIPs)+len(b.Routes) == 0 &&
		!b.AllFloatingIPs && !b.AllRoutes
}
