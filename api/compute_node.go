package api

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

type computeNodeService struct {
	buoyv1.UnimplementedComputeNodesServer
	view
}

func (s *computeNodeService) CreateComputeNode(ctx context.Context, req *buoyv1.CreateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	n, err := computeNodeFromProto(req.GetComputeNode())
	if err != nil {
		return nil, err
	}
	state, err := s.do(ctx, req, inventory.CreateComputeNode{ComputeNode: n}, n.Name)
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, n.Name)
}

func (s *computeNodeService) GetComputeNode(ctx context.Context, req *buoyv1.GetComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	state := s.Inventory.State()
	n, err := s.computeNode(state, req.GetName())
	if err == nil && viewerOf(ctx) == "" { // projects share the node, and do not learn of each other
		n.Routes = s.routesAt(state, n.Name)
		n.Interfaces = s.interfacesAt(state, n.Name)
	}
	return n, err
}

func (s *computeNodeService) ListComputeNodes(_ context.Context, req *buoyv1.ListComputeNodesRequest) (*buoyv1.ListComputeNodesResponse, error) {
	var f fields
	page := f.page(req.GetPageSize(), req.GetPageToken(), inventory.KindComputeNode)
	wanted := f.filter(req.GetFilter(), &buoyv1.ComputeNode{})
	if f.err != nil {
		return nil, f.err
	}
	living := s.living()
	list, next := pageOf(page, s.Inventory.State().ComputeNodes(), computeNodeName, func(n *inventory.ComputeNode) bool {
		return wanted == nil || wanted.matches(nodeToProto(n, living))
	})
	resp := &buoyv1.ListComputeNodesResponse{NextPageToken: next}
	for _, n := range list {
		resp.ComputeNodes = append(resp.ComputeNodes, nodeToProto(n, living))
	}
	return resp, nil
}

func computeNodeName(n *inventory.ComputeNode) string { return n.Name }

func (s *computeNodeService) UpdateComputeNode(ctx context.Context, req *buoyv1.UpdateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "address", "router_id", "encapsulations", "label_range", "label_hold_down", "liveness", "hold_time", "stale_time",
		"drained")
	if f.err != nil {
		return nil, f.err
	}
	n, err := computeNodeFromProto(req.GetComputeNode())
	if err != nil {
		return nil, err
	}
	c := inventory.UpdateComputeNode{
		Name:           n.Name,
		Address:        given(in("address"), n.Address),
		RouterID:       given(in("router_id"), n.RouterID),
		Encapsulations: given(in("encapsulations"), n.Encapsulations),
		Labels:         given(in("label_range"), n.Labels),
		LabelHoldDown:  given(in("label_hold_down"), n.LabelHoldDown),
		Liveness:       given(in("liveness"), n.Liveness.Mode),
		HoldTime:       given(in("hold_time"), n.Liveness.HoldTime),
		StaleTime:      given(in("stale_time"), n.Liveness.StaleTime),
		Drained:        given(in("drained"), n.Drain.Begun()),
	}
	state, err := s.do(ctx, req, c, c.Name)
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, c.Name)
}

func (s *computeNodeService) DeleteComputeNode(ctx context.Context, req *buoyv1.DeleteComputeNodeRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.DeleteComputeNode{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (v view) computeNode(state *inventory.State, name string) (*buoyv1.ComputeNode, error) {
	n, ok := state.ComputeNode(name)
	if !ok {
		return nil, missing("name", name)
	}
	return nodeToProto(n, v.living()), nil
}

func computeNodeFromProto(n *buoyv1.ComputeNode) (inventory.ComputeNode, error) {
	var f fields
	drain := inventory.Drain{}
	if n.GetDrained() {
		drain.State = inventory.Drained
	}
	return inventory.ComputeNode{
		Name:           n.GetName(),
		Address:        f.addr("address", n.GetAddress()),
		RouterID:       f.addr("router_id", n.GetRouterId()),
		Encapsulations: f.encapsulations("encapsulations", n.GetEncapsulations()),
		Labels:         f.labels("label_range", n.GetLabelRange()),
		LabelHoldDown:  n.GetLabelHoldDown(),
		Liveness:       f.liveness(n),
		Drain:          drain,
	}, f.err
}

// computeNodeToProto shows the labels and their rest as they are, also where
// nobody chose them.
func computeNodeToProto(n *inventory.ComputeNode) *buoyv1.ComputeNode {
	labels := n.LabelRange()
	p := &buoyv1.ComputeNode{
		Name:           n.Name,
		Address:        n.Address.String(),
		RouterId:       n.RouterID.String(),
		Encapsulations: n.Encapsulations.Strings(),
		LabelRange:     fmt.Sprintf("%d-%d", labels.First, labels.Last),
		LabelHoldDown:  uint32(n.HoldDown().Seconds()),
		Liveness:       livenessToProto[n.Liveness.Mode],
		HoldTime:       uint32(n.Liveness.Hold().Seconds()),
		StaleTime:      proto.Uint32(n.Liveness.StaleTime),
		Drain:          drainToProto[n.Drain.State],
		Etag:           n.Etag.String(),
	}
	if n.Drain.Begun() {
		p.Drained = proto.Bool(true)
	}
	if !n.Drain.Until.IsZero() {
		p.DrainUntil = n.Drain.Until.UTC().Format(time.RFC3339)
	}
	return p
}

// labels reads FIRST-LAST, or one label that is both. An empty text is the zero
// range, which stands for the default.
func (f *fields) labels(field, s string) inventory.LabelRange {
	if s == "" {
		return inventory.LabelRange{}
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		to = from
	}
	first, err1 := parseLabel(from)
	last, err2 := parseLabel(to)
	if err1 != nil || err2 != nil || first > last {
		f.fail(field, fmt.Errorf("expected labels FIRST-LAST within %d-%d, like 100000-999999, got %q", vrf.MinLabel, vrf.MaxLabel, s))
	}
	return inventory.LabelRange{First: first, Last: last}
}

func parseLabel(s string) (vrf.Label, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0, err
	}
	return vrf.NewLabel(uint32(n))
}

// text returns an address, or nothing for the zero one.
func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
