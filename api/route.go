package api

import (
	"context"
	"errors"
	"iter"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

type routeService struct {
	buoyv1.UnimplementedRoutesServer
	view
}

func (s *routeService) ListRoutes(ctx context.Context, req *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
	received := req.GetDirection() == buoyv1.ListRoutesRequest_RECEIVED
	if v := viewerOf(ctx); received && v != "" {
		return nil, v.operatorsOnly()
	}
	snapshot := s.ribs(viewerOf(ctx))
	filter, err := snapshot.filter(req)
	if err != nil {
		return nil, err
	}
	page, err := routePageOf(req, filter.network != nil && filter.whole)
	if err != nil {
		return nil, err
	}
	var lines []line
	var next string
	switch {
	case req.GetNeighbor() == "" && req.GetDirection() != buoyv1.ListRoutesRequest_DIRECTION_UNSPECIFIED:
		return nil, invalid("neighbor", errors.New("expected a neighbor to go with the direction"))
	case req.GetNeighbor() != "":
		lists, err := s.exchanged(snapshot, req)
		if err != nil {
			return nil, err
		}
		lines, next = page.of(filter, lists)
	case page.network:
		lines, next = page.ofNetwork(filter, snapshot)
	default:
		lines, next = page.of(filter, snapshot.all(filter))
	}
	return &buoyv1.ListRoutesResponse{Routes: snapshot.write(lines, req.GetNeighbor() == ""), NextPageToken: next}, nil
}

// exchanged lists what a neighbor has been sent, or what is taken of what it has
// announced.
func (s *routeService) exchanged(snapshot *ribs, req *buoyv1.ListRoutesRequest) (ordered, error) {
	switch {
	case req.GetDirection() != buoyv1.ListRoutesRequest_ADVERTISED && req.GetDirection() != buoyv1.ListRoutesRequest_RECEIVED:
		return nil, invalid("direction", errors.New("expected ADVERTISED or RECEIVED to go with the neighbor"))
	case req.GetDirection() == buoyv1.ListRoutesRequest_RECEIVED && req.GetFloatingIp() != "":
		return nil, invalid("floating_ip", errors.New("expected none with direction RECEIVED: what a neighbor announces is of no floating IP"))
	}
	n, ok := snapshot.state.Neighbor(req.GetNeighbor())
	if !ok {
		return nil, missing("neighbor", req.GetNeighbor())
	}
	if req.GetDirection() == buoyv1.ListRoutesRequest_RECEIVED {
		return snapshot.received(n.Address), nil
	}
	return func(from vrf.Key) iter.Seq[line] {
		return func(yield func(line) bool) {
			for r, at := range s.Sessions.AdjRIBOut(n.Address, from) {
				if !yield(line{own: r, since: at, given: true}) {
					return
				}
			}
		}
	}, nil
}
