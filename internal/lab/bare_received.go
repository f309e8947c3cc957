package lab

import (
	"context"
	"fmt"
	"time"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/buoynet/buoy/vrf"
)

// Count returns how many VPNv4 routes are in the global table. It blocks the
// engine while it counts.
func (e *BareEngine) Count(ctx context.Context) (int, error) {
	info, err := e.server.GetTable(ctx, &api.GetTableRequest{TableType: api.TableType_GLOBAL, Family: bareVPNv4})
	return int(info.GetNumPath()), err
}

// WaitFor waits until a VPNv4 route is in the global table: of the routes of one
// session, the last one that was sent is the last to be there. To look for one
// route takes 0.1 ms of the engine's time however many there are, every 5 ms.
func (e *BareEngine) WaitFor(ctx context.Context, key vrf.Key) error {
	request := &api.ListPathRequest{
		TableType: api.TableType_GLOBAL, Family: bareVPNv4,
		Prefixes: []*api.TableLookupPrefix{{Rd: key.RD.String(), Prefix: key.Prefix.String()}},
	}
	for {
		found := false
		if err := e.server.ListPath(ctx, request, func(*api.Destination) { found = true }); err != nil {
			return fmt.Errorf("look for %s: %w", key, err)
		}
		if found {
			return nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Events that a bare engine tells of a received route.
const (
	BareAdjIn = api.WatchEventRequest_Table_Filter_ADJIN // it was received
	BareBest  = api.WatchEventRequest_Table_Filter_BEST  // it is the best one in the table
)

// Watch calls a function whenever the engine tells of VPNv4 routes, with the
// label of each, until the context ends.
func (e *BareEngine) Watch(ctx context.Context, event api.WatchEventRequest_Table_Filter_Type, note func(label vrf.Label)) error {
	request := &api.WatchEventRequest{Table: &api.WatchEventRequest_Table{
		Filters: []*api.WatchEventRequest_Table_Filter{{Type: event}},
	}}
	return e.server.WatchEvent(ctx, request, func(r *api.WatchEventResponse) {
		for _, p := range r.GetTable().GetPaths() {
			var nlri api.LabeledVPNIPAddressPrefix
			if err := p.GetNlri().UnmarshalTo(&nlri); err == nil && len(nlri.Labels) > 0 {
				note(vrf.Label(nlri.Labels[0]))
			}
		}
	})
}
