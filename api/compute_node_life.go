package api

import (
	"context"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func (s *computeNodeService) DrainComputeNode(ctx context.Context, req *buoyv1.DrainComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	state, err := s.do(ctx, req, inventory.DrainComputeNode{Name: req.GetName(), Wait: time.Duration(req.GetWait()) * time.Second}, req.GetName())
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, req.GetName())
}

func (s *computeNodeService) UndrainComputeNode(ctx context.Context, req *buoyv1.UndrainComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	state, err := s.do(ctx, req, inventory.UndrainComputeNode{Name: req.GetName()}, req.GetName())
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, req.GetName())
}

// routesAt counts the routes of a compute node that the speaker has.
func (v view) routesAt(state *inventory.State, name string) (count uint32) {
	n, ok := state.ComputeNode(name)
	if !ok {
		return 0
	}
	table := v.Routes()
	for f := range state.FloatingIPsAt(name) {
		network, ok := state.Network(f.Network)
		if !ok {
			continue
		}
		rd := routetarget.IPv4Distinguisher(n.RouterID, network.ID)
		if _, _, ok := table.Get(vrf.Key{RD: rd, Prefix: netip.PrefixFrom(f.Address, f.Address.BitLen())}); ok {
			count++
		}
	}
	return count
}

var livenessToProto = map[inventory.LivenessMode]buoyv1.ComputeNode_Liveness{
	inventory.Vouched: buoyv1.ComputeNode_NONE,
	inventory.Session: buoyv1.ComputeNode_SESSION,
}

var livenessFromProto = map[buoyv1.ComputeNode_Liveness]inventory.LivenessMode{
	buoyv1.ComputeNode_LIVENESS_UNSPECIFIED: inventory.Vouched,
	buoyv1.ComputeNode_NONE:                 inventory.Vouched,
	buoyv1.ComputeNode_SESSION:              inventory.Session,
}

var drainToProto = map[inventory.DrainState]buoyv1.ComputeNode_Drain{
	inventory.NotDrained: buoyv1.ComputeNode_NOT_DRAINED,
	inventory.Draining:   buoyv1.ComputeNode_DRAINING,
	inventory.Drained:    buoyv1.ComputeNode_DRAINED,
}

// liveness reads what makes the routes of a compute node valid. A stale time of 0
// is one.
func (f *fields) liveness(n *buoyv1.ComputeNode) inventory.Liveness {
	l := inventory.DefaultLiveness
	l.Mode, l.HoldTime = enum(f, "liveness", livenessFromProto, n.GetLiveness()), n.GetHoldTime()
	if n != nil && n.StaleTime != nil {
		l.StaleTime = n.GetStaleTime()
	}
	return l
}
