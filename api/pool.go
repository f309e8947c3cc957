package api

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ipam"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type poolService struct {
	buoyv1.UnimplementedPoolsServer
	view
}

func (s *poolService) CreatePool(ctx context.Context, req *buoyv1.CreatePoolRequest) (*buoyv1.Pool, error) {
	var f fields
	c := inventory.CreatePool{Pool: f.pool(req.GetPool())}
	if f.err != nil {
		return nil, f.err
	}
	state, err := s.do(ctx, req, c, c.Pool.Name)
	if err != nil {
		return nil, err
	}
	return s.pool(ctx, state, c.Pool.Name)
}

func (s *poolService) GetPool(ctx context.Context, req *buoyv1.GetPoolRequest) (*buoyv1.Pool, error) {
	return s.pool(ctx, s.Inventory.State(), req.GetName())
}

func (s *poolService) ListPools(ctx context.Context, req *buoyv1.ListPoolsRequest) (*buoyv1.ListPoolsResponse, error) {
	var f fields
	parent := f.poolParent("parent", req.GetParent())
	page := f.page(req.GetPageSize(), req.GetPageToken(), inventory.KindPool)
	wanted := f.filter(req.GetFilter(), &buoyv1.Pool{})
	if f.err != nil {
		return nil, f.err
	}
	state, viewer := s.Inventory.State(), viewerOf(ctx)
	// To a project belong the pools that it may draw from, too.
	own := viewer != "" && parent == "projects/"+string(viewer)
	list, next := pageOf(page, state.Pools(), poolName, func(p *inventory.Pool) bool {
		return (own || inParent(p.Name, parent)) && viewer.sees(state, p.Name) && (wanted == nil || wanted.matches(poolToProto(viewer, state, p)))
	})
	resp := &buoyv1.ListPoolsResponse{NextPageToken: next}
	for _, p := range list {
		resp.Pools = append(resp.Pools, poolToProto(viewer, state, p))
	}
	return resp, nil
}

func poolName(p *inventory.Pool) string { return p.Name }

func (s *poolService) UpdatePool(ctx context.Context, req *buoyv1.UpdatePoolRequest) (*buoyv1.Pool, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "ranges", "shared_with")
	p := req.GetPool()
	c := inventory.UpdatePool{
		Name:       p.GetName(),
		Ranges:     given(in("ranges"), f.ranges("ranges", p.GetRanges())),
		SharedWith: given(in("shared_with"), p.GetSharedWith()),
	}
	if f.err != nil {
		return nil, f.err
	}
	state, err := s.do(ctx, req, c, c.Name)
	if err != nil {
		return nil, err
	}
	return s.pool(ctx, state, c.Name)
}

func (s *poolService) DeletePool(ctx context.Context, req *buoyv1.DeletePoolRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.DeletePool{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (v view) pool(ctx context.Context, state *inventory.State, name string) (*buoyv1.Pool, error) {
	p, err := find(viewerOf(ctx), state, state.Pool, "name", name)
	if err != nil {
		return nil, err
	}
	return poolToProto(viewerOf(ctx), state, p), nil
}

func poolToProto(v viewer, state *inventory.State, p *inventory.Pool) *buoyv1.Pool {
	return &buoyv1.Pool{
		Name:       p.Name,
		Ranges:     texts(p.Ranges),
		SharedWith: v.sharedWith(p),
		Automatic:  p.Automatic,
		Used:       state.Used(p),
		Total:      p.Usable().Size(),
		Etag:       v.etag(p.Name, p.Etag),
	}
}

func (f *fields) pool(p *buoyv1.Pool) inventory.Pool {
	return inventory.Pool{
		Name:       p.GetName(),
		Ranges:     f.ranges("ranges", p.GetRanges()),
		SharedWith: p.GetSharedWith(),
	}
}

func (f *fields) ranges(field string, list []string) []ipam.Range {
	ranges := make([]ipam.Range, 0, len(list))
	for _, s := range list {
		r, err := ipam.ParseRange(s)
		if err != nil {
			f.fail(field, err)
		}
		ranges = append(ranges, r)
	}
	return ranges
}

// poolParent checks the name of a project or of a network. An empty one stands
// for all.
func (f *fields) poolParent(field, name string) string {
	project, network, ok := strings.Cut(name, "/networks/")
	if !ok {
		return f.parent(field, name)
	}
	if project == "" {
		f.fail(field, errors.New("expected projects/PROJECT/networks/NETWORK"))
	}
	f.parent(field, project)
	if err := inventory.CheckID(network); err != nil {
		f.fail(field, err)
	}
	return name
}
