package api

import (
	"context"
	"errors"
	"net/netip"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type explanationService struct {
	buoyv1.UnimplementedExplanationsServer
	view
}

func (s *explanationService) Explain(ctx context.Context, req *buoyv1.ExplainRequest) (*buoyv1.Explanation, error) {
	state := s.Inventory.State()
	q, err := question(viewerOf(ctx), state, req)
	if err != nil {
		return nil, err
	}
	e, err := explain.Explain(s.explainable(state), q)
	if err != nil {
		return nil, err
	}
	return explanationToProto(state, q, &e), nil
}

// explainable is what explanations are made from.
func (v view) explainable(state *inventory.State) explain.Snapshot {
	return explain.Snapshot{
		State: state, Living: v.living(), Table: v.Routes(), Imports: v.Imports(),
		Sessions: v.sessions(state), Routers: v.Sessions, Refused: v.Sessions.Refused(), Local: v.Local,
	}
}

// question reads a request. What it names must be there, and be for the viewer to
// see.
func question(who viewer, state *inventory.State, req *buoyv1.ExplainRequest) (explain.Question, error) {
	var f fields
	q := explain.Question{
		FloatingIP: req.GetFloatingIp(), Address: f.address("address", req.GetAddress()),
		Network: req.GetNetwork(), Neighbor: req.GetNeighbor(),
		Client: f.address("client", req.GetClient()), Project: string(who),
	}
	switch {
	case f.err != nil:
		return q, f.err
	case (q.FloatingIP == "") == !q.Address.IsValid():
		return q, invalid("address", errors.New("expected an address, or floating_ip"))
	}
	if q.FloatingIP != "" {
		held, err := find(who, state, state.FloatingIP, "floating_ip", q.FloatingIP)
		if err != nil {
			return q, err
		}
		q.Address = held.Address
	}
	if _, ok := state.Neighbor(q.Neighbor); !ok && q.Neighbor != "" {
		return q, missing("neighbor", q.Neighbor)
	}
	if q.Network != "" {
		// Also one of which the viewer may only use a pool: its name is no secret then.
		if _, err := find(who, state, state.Network, "network", q.Network); err != nil && !who.usesPoolOf(state, q.Network) {
			return q, err
		}
	}
	if q.Client.IsValid() && q.Client.Is4() != q.Address.Is4() {
		return q, invalid("client", errors.New("expected an address of the same family"))
	}
	return q, nil
}

// usesPoolOf reports whether the viewer may draw from a pool of a network.
func (v viewer) usesPoolOf(state *inventory.State, network string) bool {
	for p := range state.PoolsOf(network) {
		if v.sees(state, p.Name) {
			return true
		}
	}
	return false
}

// address reads an address as routers have it: without a zone, and not IPv4 mapped
// into IPv6. It may be left out.
func (f *fields) address(field, text string) netip.Addr {
	a := f.addr(field, text).Unmap()
	if a.Zone() != "" {
		f.fail(field, errors.New("expected an address without a zone, got "+text))
	}
	return a
}

func explanationToProto(state *inventory.State, q explain.Question, e *explain.Explanation) *buoyv1.Explanation {
	p := &buoyv1.Explanation{
		Address: q.Address.String(), FloatingIp: e.FloatingIP, Network: e.Network,
		Healthy: e.Healthy, Summary: e.Summary, Cause: e.Cause.String(), NextStep: e.Next,
		Steps: stepsToProto(e.Steps), WayBack: stepsToProto(e.WayBack),
	}
	for i := range e.Paths {
		path := &e.Paths[i]
		to := &buoyv1.ExplanationPath{ComputeNode: path.ComputeNode, Interface: path.Interface, Steps: stepsToProto(path.Steps)}
		if path.Route != nil {
			to.Route = ownToProto(state, *path.Route)
		}
		for j := range path.Hops {
			hop := &path.Hops[j]
			to.Neighbors = append(to.Neighbors, &buoyv1.ExplanationHop{Neighbor: hop.Neighbor, Sent: hop.Sent(), Steps: stepsToProto(hop.Steps)})
		}
		p.Paths = append(p.Paths, to)
	}
	return p
}

var stepStatusToProto = map[explain.Status]buoyv1.ExplanationStep_Status{
	explain.OK:      buoyv1.ExplanationStep_OK,
	explain.Failed:  buoyv1.ExplanationStep_FAILED,
	explain.Warning: buoyv1.ExplanationStep_WARNING,
	explain.Skipped: buoyv1.ExplanationStep_SKIPPED,
}

func stepsToProto(steps []explain.Step) (list []*buoyv1.ExplanationStep) {
	for _, s := range steps {
		list = append(list, &buoyv1.ExplanationStep{
			Id: s.ID.String(), Status: stepStatusToProto[s.Status], Text: s.Text, NextStep: s.Next, Time: timestamp(s.Time)})
	}
	return list
}
