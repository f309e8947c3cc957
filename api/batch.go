package api

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// maxBatch is how many requests a batch has at most.
const maxBatch = 10_000

// requestsField is what errors call the requests of a batch.
const requestsField = "requests"

// batch is a request that consists of others.
type batch[R change] interface {
	change
	GetRequests() []R
}

// requestsIn returns what a request consists of, and how it calls that; nil for
// one that does not.
func requestsIn(req any) (field string, list []any) {
	m, ok := req.(proto.Message)
	if !ok {
		return "", nil
	}
	for _, field := range []protoreflect.Name{requestsField, documentsField} {
		if f := m.ProtoReflect().Descriptor().Fields().ByName(field); f != nil {
			requests := m.ProtoReflect().Get(f).List()
			list = make([]any, requests.Len())
			for i := range list {
				list[i] = requests.Get(i).Message().Interface()
			}
			return string(field), list
		}
	}
	return "", nil
}

// doBatch carries out the requests of a batch as one. It returns a state for the
// answer and the names of what the requests are about.
func doBatch[R change](ctx context.Context, v view, req batch[R], command func(f *fields, r R) (inventory.Command, string)) (*inventory.State, []string, error) {
	requests := req.GetRequests()
	if n := len(requests); n == 0 || n > maxBatch {
		return nil, nil, invalid(requestsField, fmt.Errorf("expected 1 to %d, got %d", maxBatch, n))
	}
	var all inventory.Batch
	var names []string
	for i, r := range requests {
		c, name, err := item(r, command)
		if err != nil {
			return nil, nil, &inventory.ItemError{Item: i, Err: err}
		}
		all, names = append(all, c), append(names, name)
	}
	state, err := v.do(ctx, req, all, names...)
	return state, names, err
}

func item[R change](r R, command func(f *fields, r R) (inventory.Command, string)) (inventory.Command, string, error) {
	var f fields
	if r.GetRequestId() != "" {
		f.fail("request_id", errors.New("expected none: the batch has one"))
	}
	if r.GetValidateOnly() {
		f.fail("validate_only", errors.New("expected false: the batch says it"))
	}
	c, name := command(&f, r)
	if f.err != nil {
		return nil, "", f.err
	}
	c, err := onlyUnchanged(r, c, []string{name})
	return c, name, err
}

func (s *floatingIPService) BatchAllocate(ctx context.Context, req *buoyv1.BatchAllocateRequest) (*buoyv1.BatchAllocateResponse, error) {
	state, names, err := doBatch(ctx, s.view, req, func(f *fields, r *buoyv1.AllocateRequest) (inventory.Command, string) {
		return f.allocate(r), r.GetName()
	})
	if err != nil {
		return nil, err
	}
	return &buoyv1.BatchAllocateResponse{FloatingIps: settled(state, names)}, nil
}

func (s *floatingIPService) BatchAssociate(ctx context.Context, req *buoyv1.BatchAssociateRequest) (*buoyv1.BatchAssociateResponse, error) {
	state, names, err := doBatch(ctx, s.view, req, func(f *fields, r *buoyv1.AssociateRequest) (inventory.Command, string) {
		return f.associate(r), r.GetName()
	})
	if err != nil {
		return nil, err
	}
	return &buoyv1.BatchAssociateResponse{FloatingIps: settled(state, names)}, nil
}

func (s *floatingIPService) BatchRelease(ctx context.Context, req *buoyv1.BatchReleaseRequest) (*emptypb.Empty, error) {
	_, _, err := doBatch(ctx, s.view, req, func(_ *fields, r *buoyv1.ReleaseRequest) (inventory.Command, string) {
		return inventory.Release{Name: r.GetName()}, r.GetName()
	})
	return &emptypb.Empty{}, err
}

// settled returns floating IPs without what is observed of them: that would
// take long for many.
func settled(state *inventory.State, names []string) []*buoyv1.FloatingIP {
	list := make([]*buoyv1.FloatingIP, 0, len(names))
	for _, name := range names {
		if f, ok := state.FloatingIP(name); ok {
			list = append(list, settledToProto(f))
		}
	}
	return list
}
