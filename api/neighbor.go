package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type neighborService struct {
	buoyv1.UnimplementedNeighborsServer
	view
}

func (s *neighborService) CreateNeighbor(ctx context.Context, req *buoyv1.CreateNeighborRequest) (*buoyv1.Neighbor, error) {
	settings, err := settingsFromProto(req.GetNeighbor())
	if err != nil {
		return nil, err
	}
	state, err := s.do(ctx, req, inventory.CreateNeighbor{Settings: settings.WithDefaults(s.Families)}, inventory.NeighborName(settings.Name))
	if err != nil {
		return nil, err
	}
	return s.neighbor(state, inventory.NeighborName(settings.Name))
}

func (s *neighborService) GetNeighbor(_ context.Context, req *buoyv1.GetNeighborRequest) (*buoyv1.Neighbor, error) {
	return s.neighbor(s.Inventory.State(), req.GetName())
}

func (s *neighborService) ListNeighbors(_ context.Context, req *buoyv1.ListNeighborsRequest) (*buoyv1.ListNeighborsResponse, error) {
	var f fields
	page := f.page(req.GetPageSize(), req.GetPageToken(), inventory.KindNeighbor)
	wanted := f.filter(req.GetFilter(), &buoyv1.Neighbor{})
	if f.err != nil {
		return nil, f.err
	}
	state := s.Inventory.State()
	sessions := s.sessions(state)
	list, next := pageOf(page, state.Neighbors(), (*inventory.Neighbor).ResourceName, func(n *inventory.Neighbor) bool {
		return wanted == nil || wanted.matches(s.neighborToProto(n, sessions[n.Name]))
	})
	resp := &buoyv1.ListNeighborsResponse{NextPageToken: next}
	if r := s.Sessions.Refused(); r.Count > 0 {
		resp.Refused = &buoyv1.RefusedConnections{Count: r.Count, LastAddress: text(r.Address), LastTime: timestamp(r.Time)}
	}
	for _, n := range list {
		resp.Neighbors = append(resp.Neighbors, s.neighborToProto(n, sessions[n.Name]))
	}
	return resp, nil
}

func (s *neighborService) UpdateNeighbor(ctx context.Context, req *buoyv1.UpdateNeighborRequest) (*buoyv1.Neighbor, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "address", "port", "as", "families", "passive", "local_address", "hold_time",
		"keepalive_time", "ttl_security", "multihop", "md5_key_file", "md5_key_env", "encapsulations", "max_advertised",
		"graceful_restart", "restart_time", "long_lived_time", "long_lived", "max_received",
		"accept_prefixes", "accept_targets", "max_received_action")
	if f.err != nil {
		return nil, f.err
	}
	settings, err := settingsFromProto(req.GetNeighbor())
	if err != nil {
		return nil, err
	}
	settings = settings.WithDefaults(s.Families)
	c := inventory.UpdateNeighbor{
		Name:     req.GetNeighbor().GetName(),
		Address:  given(in("address"), settings.Address),
		Port:     given(in("port"), settings.Port),
		AS:       given(in("as"), settings.AS),
		Families: given(in("families"), settings.Families),
		Passive:  given(in("passive"), settings.Passive),

		LocalAddress:  given(in("local_address"), settings.LocalAddress),
		HoldTime:      given(in("hold_time"), settings.HoldTime),
		KeepaliveTime: given(in("keepalive_time"), settings.KeepaliveTime),
		TTLSecurity:   given(in("ttl_security"), settings.TTLSecurity),
		Multihop:      given(in("multihop"), settings.Multihop),
		MD5Key:        given(in("md5_key_file") || in("md5_key_env"), settings.MD5Key),

		WithoutRestart: given(in("graceful_restart"), settings.Restart.Without),
		RestartTime:    given(in("restart_time"), settings.Restart.Time),
		LongLivedTime:  given(in("long_lived_time"), settings.Restart.LongLivedTime),
		LongLived:      given(in("long_lived"), settings.Restart.LongLived),

		Encapsulations: given(in("encapsulations"), settings.Encapsulations),
		MaxAdvertised:  given(in("max_advertised"), settings.MaxAdvertised),
		MaxReceived:    given(in("max_received"), settings.MaxReceived),

		AcceptPrefixes:    given(in("accept_prefixes"), settings.AcceptPrefixes),
		AcceptTargets:     given(in("accept_targets"), settings.AcceptTargets),
		MaxReceivedAction: given(in("max_received_action"), settings.MaxReceivedAction),
	}
	state, err := s.do(ctx, req, c, c.Name)
	if err != nil {
		return nil, err
	}
	return s.neighbor(state, c.Name)
}

func (s *neighborService) DeleteNeighbor(ctx context.Context, req *buoyv1.DeleteNeighborRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.DeleteNeighbor{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (v view) neighbor(state *inventory.State, name string) (*buoyv1.Neighbor, error) {
	n, ok := state.Neighbor(name)
	if !ok {
		return nil, missing("name", name)
	}
	session := v.sessions(state)[n.Name]
	p := v.neighborToProto(n, session)
	if session != nil {
		p.Session.BadMessages = badMessagesToProto(session.BadMessages)
	}
	return p, nil
}

func settingsFromProto(n *buoyv1.Neighbor) (neighbor.Settings, error) {
	var f fields
	short, ok := strings.CutPrefix(n.GetName(), inventory.NeighborName(""))
	if !ok {
		return neighbor.Settings{}, invalid("name", fmt.Errorf("expected neighbors/NAME, got %q", n.GetName()))
	}
	return neighbor.Settings{
		Name:     short,
		Address:  f.addr("address", n.GetAddress()),
		Port:     f.port("port", n.GetPort()),
		AS:       n.GetAs(),
		Families: f.families("families", n.GetFamilies()),
		Passive:  n.GetPassive(),

		LocalAddress:  f.addr("local_address", n.GetLocalAddress()),
		HoldTime:      f.seconds("hold_time", n.GetHoldTime(), 65535),
		KeepaliveTime: f.seconds("keepalive_time", n.GetKeepaliveTime(), 65535),
		TTLSecurity:   f.hops("ttl_security", n.GetTtlSecurity(), 254),
		Multihop:      f.hops("multihop", n.GetMultihop(), 255),
		MD5Key:        neighbor.KeySource{File: n.GetMd5KeyFile(), Env: n.GetMd5KeyEnv()},

		Restart: neighbor.RestartSettings{
			Without:       f.graceful("graceful_restart", n.GetGracefulRestart()),
			Time:          f.seconds("restart_time", n.GetRestartTime(), neighbor.MaxRestartTime),
			LongLivedTime: n.GetLongLivedTime(),
			LongLived:     f.families("long_lived", n.GetLongLived()),
		},
		Policy: neighbor.Policy{
			Encapsulations: f.encapsulations("encapsulations", n.GetEncapsulations()),
			MaxAdvertised:  n.GetMaxAdvertised(),
			MaxReceived:    n.GetMaxReceived(),

			AcceptPrefixes:    f.accepted("accept_prefixes", n.GetAcceptPrefixes()),
			AcceptTargets:     f.targets("accept_targets", n.GetAcceptTargets()),
			MaxReceivedAction: enum(&f, "max_received_action", actionFromProto, n.GetMaxReceivedAction()),
		},
	}, f.err
}

// neighborToProto joins what is configured with what is seen. The session is
// nil until the speaker was told of the neighbor.
func (v view) neighborToProto(n *inventory.Neighbor, session *neighbor.Status) *buoyv1.Neighbor {
	stands := v.stand(session)
	p := &buoyv1.Neighbor{
		Name:        n.ResourceName(),
		Address:     n.Address.String(),
		Port:        uint32(n.Port),
		As:          n.AS,
		Families:    n.Families.Strings(),
		Passive:     n.Passive,
		ReadOnly:    n.ReadOnly,
		Etag:        n.Etag.String(),
		State:       stands.state,
		StateReason: stands.reason,
		NextStep:    stands.next,

		LocalAddress:  text(n.LocalAddress),
		HoldTime:      uint32(n.Hold()),
		KeepaliveTime: uint32(n.KeepaliveTime),
		TtlSecurity:   uint32(n.TTLSecurity),
		Multihop:      uint32(n.Multihop),
		Md5KeyFile:    n.MD5Key.File,
		Md5KeyEnv:     n.MD5Key.Env,

		Encapsulations: n.Encapsulations.Strings(),
		MaxAdvertised:  n.MaxAdvertised,
		MaxReceived:    n.Maximum(),

		AcceptPrefixes:    n.AcceptPrefixes.Strings(),
		AcceptTargets:     n.AcceptTargets.Strings(),
		MaxReceivedAction: actionToProto[n.MaxReceivedAction],

		GracefulRestart: n.GracefulNames(),
		RestartTime:     uint32(n.Restart.RestartTime()),
		LongLivedTime:   n.Restart.LongLivedTime,
		LongLived:       n.LongLived().Strings(),
	}
	if session == nil {
		return p
	}
	p.Session = &buoyv1.Session{
		OpenSent:             openToProto(session.OpenSent),
		OpenReceived:         openToProto(session.OpenReceived),
		NegotiatedFamilies:   session.Negotiated().Strings(),
		NotificationSent:     notificationToProto(session.NotificationSent),
		NotificationReceived: notificationToProto(session.NotificationReceived),
		Sent:                 countersToProto(session.Sent),
		Received:             countersToProto(session.Received),
		EstablishedCount:     session.Established,
		Flaps:                session.Flaps,
		StateChanges:         session.Changes,
		Since:                timestamp(session.Since),
		LastUp:               timestamp(session.LastUp),
		LastDown:             timestamp(session.LastDown),
		AdvertisedRoutes:     session.Advertised,
		MaxAdvertisedReached: session.MaxReached,
		TakenRoutes:          session.Taken,
		StaleRoutes:          session.Stale,
		LeftRoutes:           session.Left,
		FilteredRoutes:       session.Filtered,

		KeptFamilies:          session.Kept().Strings(),
		KeptAfterNotification: session.KeptAfterNotification(),
		LongLivedFamilies:     session.KeptLongLived().Strings(),
	}
	if session.LocalAddress.IsValid() {
		p.Session.LocalAddress = session.LocalAddress.String()
	}
	if session.RemoteAddress.IsValid() {
		p.Session.RemoteAddress = session.RemoteAddress.String()
	}
	return p
}

// timestamp returns a time, or nothing for the zero one.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

var actionFromProto = map[buoyv1.Neighbor_MaxReceivedAction]neighbor.MaxReceivedAction{
	buoyv1.Neighbor_MAX_RECEIVED_ACTION_UNSPECIFIED: neighbor.MaxReceivedWarn,
	buoyv1.Neighbor_WARN:                            neighbor.MaxReceivedWarn,
	buoyv1.Neighbor_STOP:                            neighbor.MaxReceivedStop,
}

var actionToProto = map[neighbor.MaxReceivedAction]buoyv1.Neighbor_MaxReceivedAction{
	neighbor.MaxReceivedWarn: buoyv1.Neighbor_WARN,
	neighbor.MaxReceivedStop: buoyv1.Neighbor_STOP,
}

var stateToProto = map[neighbor.State]buoyv1.Neighbor_State{
	neighbor.Idle:        buoyv1.Neighbor_IDLE,
	neighbor.Connect:     buoyv1.Neighbor_CONNECT,
	neighbor.Active:      buoyv1.Neighbor_ACTIVE,
	neighbor.OpenSent:    buoyv1.Neighbor_OPEN_SENT,
	neighbor.OpenConfirm: buoyv1.Neighbor_OPEN_CONFIRM,
	neighbor.Established: buoyv1.Neighbor_ESTABLISHED,
}

func openToProto(o *neighbor.Open) *buoyv1.Open {
	if o == nil {
		return nil
	}
	p := &buoyv1.Open{
		As:            o.AS,
		RouterId:      text(o.RouterID),
		HoldTime:      uint32(o.HoldTime.Seconds()),
		Families:      o.Families.Strings(),
		OtherFamilies: o.Others,
	}
	for _, c := range o.Capabilities {
		p.Capabilities = append(p.Capabilities, uint32(c))
	}
	if o.Has(neighbor.CapGracefulRestart) {
		p.Restart = restartToProto(o.Restart)
	}
	return p
}

func restartToProto(r neighbor.Restart) *buoyv1.Restart {
	p := &buoyv1.Restart{
		Restarting:          r.Restarting,
		Notification:        r.Notification,
		RestartTime:         uint32(r.Time.Seconds()),
		Families:            r.Families.Strings(),
		PreservedFamilies:   r.Preserved.Strings(),
		LongLivedStaleTimes: map[string]uint32{},
	}
	for f, t := range r.LongLived {
		if t > 0 {
			p.LongLivedStaleTimes[neighbor.Family(f).String()] = uint32(t.Seconds())
		}
	}
	return p
}

func notificationToProto(n *neighbor.Notification) *buoyv1.Notification {
	if n == nil {
		return nil
	}
	return &buoyv1.Notification{
		Code:    uint32(n.Code),
		Subcode: uint32(n.Subcode),
		Data:    n.Data,
		Time:    timestamppb.New(n.Time),
		Text:    n.String(),
	}
}

func countersToProto(c neighbor.Counters) *buoyv1.Counters {
	return &buoyv1.Counters{
		Opens:          c.Opens,
		Updates:        c.Updates,
		Notifications:  c.Notifications,
		Keepalives:     c.Keepalives,
		RouteRefreshes: c.RouteRefreshes,
		Bytes:          c.Bytes,
		Refused:        c.Refused,
		Malformed:      c.Malformed,
	}
}

func badMessagesToProto(list []neighbor.BadMessage) (messages []*buoyv1.BadMessage) {
	for _, m := range list {
		messages = append(messages, &buoyv1.BadMessage{Time: timestamp(m.Time), Reason: strings.ToValidUTF8(m.Reason, "?"), Data: m.Bytes})
	}
	return messages
}
