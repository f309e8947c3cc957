package api

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// write writes routes out. Judged, those of our own say which neighbors have them.
func (s *ribs) write(lines []line, judged bool) []*buoyv1.Route {
	list := make([]*buoyv1.Route, 0, len(lines))
	for _, l := range lines {
		p := s.routeToProto(&l)
		if judged && l.given {
			if s.seen == nil {
				s.seen = &observed{view: s.view, state: s.state, table: s.table, sessions: s.sessions(s.state), explain: true}
			}
			s.seen.judge(p, l.own.Key)
		}
		list = append(list, p)
	}
	return list
}

// judge says of a route that the speaker has how far it gets.
func (o *observed) judge(p *buoyv1.Route, key vrf.Key) {
	reach := o.reach(key)
	p.StateReason = reach.String()
	switch {
	case reach.stuck():
		p.State = buoyv1.Route_WITHHELD
	case reach.ready == 0:
		p.State = buoyv1.Route_PENDING
	}
	judgeChange(p, o.table, key)
}

// judgeChange says of a route that the speaker has that it did not take a change.
func judgeChange(p *buoyv1.Route, table RouteTable, key vrf.Key) {
	if err := table.Failure(key); err != nil {
		p.State, p.StateReason = buoyv1.Route_WITHHELD, "a change is tried again: "+err.Error()
	}
}

func (s *ribs) routeToProto(l *line) *buoyv1.Route {
	var p *buoyv1.Route
	switch {
	case l.received != nil:
		p = s.receivedToProto(l.received)
	default:
		p = ownToProto(s.state, l.own)
		if l.given {
			p.State, p.Since = buoyv1.Route_ADVERTISED, timestamppb.New(l.since)
		} else {
			p.State, p.StateReason = buoyv1.Route_WITHHELD, "it is tried again: "+l.failure.Error()
		}
	}
	p.Best, p.Multipath = l.best, l.multipath
	return p
}

func (s *ribs) receivedToProto(r *vrf.Received) *buoyv1.Route {
	a := r.Attributes.Value()
	p := vpnToProto(vrf.Route{
		Key: r.Key, Label: r.Label, LocalPref: a.LocalPref, NextHop: a.NextHop, Targets: a.Targets, Encapsulations: a.Encapsulations,
	})
	if s.viewer == "" {
		p.Source = inventory.NeighborName(r.Source.Neighbor)
	}
	p.State, p.Since, p.Stale, p.LongLivedStale = buoyv1.Route_RECEIVED, timestamp(r.Since), r.Stale, a.LongLivedStale
	p.Origin, p.AsPath, p.Med, p.Originator = a.Origin.String(), a.ASPath, a.MED, text(a.Originator)
	p.Tables = s.tables(r)
	if a.LongLivedStale {
		p.Communities = []string{"llgr-stale"}
	}
	var reasons []string
	if why := r.Unusable(); why != "" {
		p.State, reasons = buoyv1.Route_UNUSABLE, append(reasons, why)
	}
	if r.Stale {
		reasons = append(reasons, "stale: the neighbor has yet to announce it again")
	}
	if a.LongLivedStale {
		reasons = append(reasons, "long-lived stale: a last resort")
	}
	p.StateReason = strings.Join(reasons, "; ")
	return p
}

func ownToProto(state *inventory.State, r vrf.Route) *buoyv1.Route {
	p := vpnToProto(r)
	if r.GracefulShutdown {
		p.Communities = []string{"graceful-shutdown"}
	}
	p.Network, p.FloatingIp = origin(state, r.Key)
	p.Origin = vrf.Incomplete.String()
	if p.Network != "" {
		p.Tables = []string{tableOf(p.Network, r.Prefix)}
	}
	return p
}

// vpnToProto returns what all VPN routes have.
func vpnToProto(r vrf.Route) *buoyv1.Route {
	return &buoyv1.Route{
		Prefix:             r.Prefix.String(),
		RouteDistinguisher: r.RD.String(),
		Label:              uint32(r.Label),
		NextHop:            text(r.NextHop),
		LocalPref:          r.LocalPref,
		RouteTargets:       r.Targets.Strings(),
		Encapsulations:     r.Encapsulations.Strings(),
		Family:             neighbor.VPNFamily(r.Prefix.Addr()).String(),
	}
}
