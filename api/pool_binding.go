package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (s *poolService) BindPool(ctx context.Context, req *buoyv1.BindPoolRequest) (*buoyv1.PoolBinding, error) {
	state, err := s.do(ctx, req, inventory.BindPool{Name: req.GetName(), Pool: req.GetPool()}, req.GetName())
	if err != nil {
		return nil, err
	}
	return s.poolBinding(ctx, state, req.GetName())
}

func (s *poolService) UnbindPool(ctx context.Context, req *buoyv1.UnbindPoolRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.UnbindPool{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (s *poolService) GetPoolBinding(ctx context.Context, req *buoyv1.GetPoolBindingRequest) (*buoyv1.PoolBinding, error) {
	return s.poolBinding(ctx, s.Inventory.State(), req.GetName())
}

func (s *poolService) ListPoolBindings(ctx context.Context, req *buoyv1.ListPoolBindingsRequest) (*buoyv1.ListPoolBindingsResponse, error) {
	var f fields
	page := f.page(req.GetPageSize(), req.GetPageToken(), inventory.KindBinding)
	wanted := f.filter(req.GetFilter(), &buoyv1.PoolBinding{})
	if f.err != nil {
		return nil, f.err
	}
	state := s.Inventory.State()
	list, next := pageOf(page, state.Bindings(), bindingName, func(b *inventory.Binding) bool {
		return wanted == nil || wanted.matches(bindingToProto(viewerOf(ctx), state, b))
	})
	resp := &buoyv1.ListPoolBindingsResponse{NextPageToken: next}
	for _, b := range list {
		resp.PoolBindings = append(resp.PoolBindings, bindingToProto(viewerOf(ctx), state, b))
	}
	return resp, nil
}

func bindingName(b *inventory.Binding) string { return b.Name }

func (v view) poolBinding(ctx context.Context, state *inventory.State, name string) (*buoyv1.PoolBinding, error) {
	b, err := find(viewerOf(ctx), state, state.Binding, "name", name)
	if err != nil {
		return nil, err
	}
	return bindingToProto(viewerOf(ctx), state, b), nil
}

// bindingToProto leaves out a pool that the viewer may not see.
func bindingToProto(v viewer, state *inventory.State, b *inventory.Binding) *buoyv1.PoolBinding {
	p := &buoyv1.PoolBinding{Name: b.Name, ReadOnly: b.ReadOnly, Etag: v.etag(b.Name, b.Etag)}
	if v.sees(state, b.Pool) {
		p.Pool = b.Pool
	}
	return p
}
