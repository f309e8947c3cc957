package lab

import (
	"errors"
	"net/netip"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Send writes a message to Buoy, in the session that is there.
func (r *Recorder) Send(msg *bgp.BGPMessage) error {
	r.mu.Lock()
	conn := r.conn
	r.mu.Unlock()
	if conn == nil {
		return errors.New("send: there is no session")
	}
	return SendMessage(conn, msg)
}

// Reset ends the session without a word. An active recorder connects again.
func (r *Recorder) Reset() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return errors.New("reset: there is no session")
	}
	return r.conn.Close()
}

// Join announces that the router wants routes with these targets. Several are
// one UPDATE.
func (r *Recorder) Join(list ...Membership) error {
	m, err := JoinMessage(r.config.Addr.Addr(), list...)
	if err != nil {
		return err
	}
	return r.Send(m)
}

// JoinMessage returns the UPDATE that Join sends.
func JoinMessage(nextHop netip.Addr, list ...Membership) (*bgp.BGPMessage, error) {
	nlris, err := membershipNLRIs(list)
	if err != nil {
		return nil, err
	}
	return bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_IGP),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(100),
		bgp.NewPathAttributeMpReachNLRI(nextHop.String(), nlris),
	}, nil), nil
}

// Leave withdraws what Join announced.
func (r *Recorder) Leave(list ...Membership) error {
	nlris, err := membershipNLRIs(list)
	if err != nil {
		return err
	}
	return r.Send(bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{bgp.NewPathAttributeMpUnreachNLRI(nlris)}, nil))
}

func membershipNLRIs(list []Membership) (nlris []bgp.AddrPrefixInterface, err error) {
	for _, m := range list {
		var target bgp.ExtendedCommunityInterface // nil in the default membership
		if !m.Target.IsZero() {
			b := m.Target.Bytes()
			if target, err = bgp.ParseExtended(b[:]); err != nil {
				return nil, err
			}
		}
		nlris = append(nlris, bgp.NewRouteTargetMembershipNLRI(m.AS, target))
	}
	return nlris, nil
}

// EndOfRIB says that the router has announced all that it has of a family (RFC
// 4724 §2).
func (r *Recorder) EndOfRIB(f Family) error { return r.Send(bgp.NewEndOfRib(routeFamilies[f])) }

// RouteRefresh asks for the routes of a family again (RFC 2918).
func (r *Recorder) RouteRefresh(f Family) error {
	afi, safi := bgp.RouteFamilyToAfiSafi(routeFamilies[f])
	return r.Send(bgp.NewBGPRouteRefreshMessage(afi, 0, safi))
}
