package api

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
)

type globalService struct {
	buoyv1.UnimplementedGlobalsServer
	view
}

func (s *globalService) GetGlobal(context.Context, *buoyv1.GetGlobalRequest) (*buoyv1.Global, error) {
	g, ok := s.Inventory.State().Global()
	if !ok {
		return nil, missing("", inventory.GlobalName)
	}
	return s.globalToProto(g), nil
}

func (s *globalService) UpdateGlobal(ctx context.Context, req *buoyv1.UpdateGlobalRequest) (*buoyv1.UpdateGlobalResponse, error) {
	var f fields
	f.mask(req.GetUpdateMask(), "as")
	f.globalName(req.GetGlobal().GetName())
	if f.err != nil {
		return nil, f.err
	}
	resp := &buoyv1.UpdateGlobalResponse{}
	c := inventory.WithOutcome{Command: inventory.SetGlobal{AS: req.GetGlobal().GetAs()}, Outcome: &inventory.Outcome{}}
	err := s.report(ctx, req, c, c.Outcome, resp, func() proto.Message {
		g, _ := c.Outcome.After.Global() // there is one: it was changed
		return &buoyv1.UpdateGlobalResponse{Global: s.globalToProto(g), RenumberedTargets: renumbered(c.Outcome.Before, c.Outcome.After)}
	}, inventory.GlobalName)
	return resp, err
}

// globalName checks a name that may be left out, since there is one.
func (f *fields) globalName(name string) {
	if name != "" && name != inventory.GlobalName {
		f.fail("name", fmt.Errorf("expected %s, got %q", inventory.GlobalName, name))
	}
}

// renumbered returns the automatic targets that differ between two states.
func renumbered(before, after *inventory.State) (list []*buoyv1.RenumberedTarget) {
	old, ok := before.Global()
	g, _ := after.Global()
	if !ok || old.AS == g.AS {
		return nil
	}
	for n := range after.Networks() {
		list = append(list, &buoyv1.RenumberedTarget{
			Network: n.Name,
			From:    routetarget.Automatic(old.AS, n.ID).String(),
			To:      routetarget.Automatic(g.AS, n.ID).String(),
		})
	}
	return list
}

func (v view) globalToProto(g *inventory.Global) *buoyv1.Global {
	return &buoyv1.Global{Name: inventory.GlobalName, As: g.AS, SessionAs: v.Local.AS, Etag: g.Etag.String()}
}
