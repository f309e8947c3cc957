package engine

import (
	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func communityFromTarget(t routetarget.Target) (bgp.ExtendedCommunityInterface, error) {
	b := t.Bytes()
	return bgp.ParseExtended(b[:])
}

// pathFromTarget returns the membership of a target: <our AS>:<target> (RFC
// 4684 §4).
func (e *Engine) pathFromTarget(t routetarget.Target) (*api.Path, error) {
	c, err := communityFromTarget(t)
	if err != nil {
		return nil, err
	}
	nlri := bgp.NewRouteTargetMembershipNLRI(e.cfg.AS, c)
	return newPath(neighbor.RouteTarget, nlri,
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_IGP),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(vrf.LocalPrefDefault),
		bgp.NewPathAttributeMpReachNLRI(e.cfg.RouterID.String(), []bgp.AddrPrefixInterface{nlri}),
	)
}

func newPath(family neighbor.Family, nlri bgp.AddrPrefixInterface, attrs ...bgp.PathAttributeInterface) (*api.Path, error) {
	path := &api.Path{Family: apiFamily(family), PattrsBinary: make([][]byte, 0, len(attrs))}
	var err error
	if path.NlriBinary, err = nlri.Serialize(); err != nil {
		return nil, err
	}
	for _, a := range attrs {
		b, err := a.Serialize()
		if err != nil {
			return nil, err
		}
		path.PattrsBinary = append(path.PattrsBinary, b)
	}
	return path, nil
}
