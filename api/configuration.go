package api

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type configurationService struct {
	buoyv1.UnimplementedConfigurationsServer
	view
}

// maxDocuments is how many documents are applied at once at most.
const maxDocuments = 20_000

// documentsField is what errors call a list of documents.
const documentsField = "documents"

func (s *configurationService) Apply(ctx context.Context, req *buoyv1.ApplyRequest) (*buoyv1.ApplyResponse, error) {
	documents := req.GetDocuments()
	if n := len(documents); n == 0 || n > maxDocuments {
		return nil, invalid(documentsField, fmt.Errorf("expected 1 to %d, got %d", maxDocuments, n))
	}
	c := inventory.Configure{List: documentsField, Outcome: &inventory.Outcome{}}
	names := make([]string, 0, len(documents))
	for i, d := range documents {
		w, err := s.wanted(viewerOf(ctx), d)
		if err != nil {
			return nil, &inventory.ItemError{List: documentsField, Item: i, Err: err}
		}
		c.Wanted, names = append(c.Wanted, w), append(names, w.ResourceName())
	}
	resp := &buoyv1.ApplyResponse{}
	err := s.report(ctx, req, c, c.Outcome, resp, func() proto.Message { return s.applied(viewerOf(ctx), c.Outcome, names) }, names...)
	return resp, err
}

func (s *configurationService) Export(req *buoyv1.ExportRequest, stream grpc.ServerStreamingServer[buoyv1.Document]) error {
	var f fields
	parent := f.parent("parent", req.GetParent())
	if f.err != nil {
		return f.err
	}
	state := s.Inventory.State()
	for name := range exported(state, viewerOf(stream.Context()), parent) {
		d, ok := s.document(viewerOf(stream.Context()), state, name)
		if !ok {
			continue
		}
		if err := stream.Send(d); err != nil {
			return err
		}
	}
	return nil
}

// exported yields what Export describes, in an order in which it could be
// created one by one. To a project belongs only what is its own.
func exported(state *inventory.State, v viewer, parent string) func(yield func(name string) bool) {
	takes := func(name string) bool {
		owner := inventory.ProjectOf(name)
		return inParent(name, parent) && (v == "" || owner == string(v)) && !readOnly(state, name)
	}
	order := []inventory.Kind{inventory.KindGlobal, inventory.KindNetwork, inventory.KindPool, inventory.KindBinding,
		inventory.KindComputeNode, inventory.KindNeighbor, inventory.KindFloatingIP}
	return func(yield func(string) bool) {
		of := map[inventory.Kind][]string{}
		for name := range state.Names() {
			if takes(name) {
				of[inventory.KindOf(name)] = append(of[inventory.KindOf(name)], name)
			}
		}
		for _, kind := range order {
			for _, name := range of[kind] {
				if !yield(name) {
					return
				}
			}
		}
	}
}

// readOnly reports whether the configuration file defines a resource.
func readOnly(state *inventory.State, name string) bool {
	if n, ok := state.Neighbor(name); ok {
		return n.ReadOnly
	}
	b, ok := state.Binding(name)
	return ok && b.ReadOnly
}
