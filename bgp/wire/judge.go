package wire

import (
	"errors"
	"fmt"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

// verdict is what becomes of an UPDATE in a session that goes on (RFC 7606 §2).
type verdict struct {
	problem  string         // empty for one that is as it should be
	withdraw bool           // its routes count as withdrawn
	update   *bgp.BGPUpdate // nil when nothing in it counts
}

// judge reads an UPDATE and says what RFC 7606 makes of it: a refusal is a
// session reset. GoBGP's decoder panics on some malformed ones.
func judge(msg []byte, families neighbor.Families, external bool) (v verdict, r *refusal) {
	defer func() {
		if p := recover(); p != nil {
			// RFC 4271 §6.3: no subcode fits every malformed attribute.
			r = &refusal{codeUpdate, 0, nil, fmt.Sprintf("an UPDATE that cannot be decoded: %v", p)}
		}
	}()
	// Whether it panics, and what it reads, depends on what follows in memory.
	m, err := bgp.ParseBGPMessage(msg[:len(msg):len(msg)])
	if v, r = handling(err); r != nil {
		return v, r
	}
	update := m.Body.(*bgp.BGPUpdate)
	if bits := tooLong(update); bits > 0 {
		return v, &refusal{codeUpdate, bgp.BGP_ERROR_SUB_OPTIONAL_ATTRIBUTE_ERROR, nil, fmt.Sprintf("an UPDATE: a route target membership of %d bits", bits)}
	}
	if v.update = update; v.withdraw {
		return v, nil
	}
	if strange := strangers(update, families); strange != "" {
		// RFC 4760 §8: what was not negotiated is not expected. It is left out.
		return verdict{problem: "routes of " + strange + ", which was not negotiated"}, nil
	}
	_, err = bgp.ValidateUpdateMsg(update, codecFamilies, external, false, true)
	worse, r := handling(err)
	if worse.withdraw || v.problem == "" {
		v.problem, v.withdraw = worse.problem, worse.withdraw
	}
	return v, r
}

// handling translates what the codec says of an UPDATE.
func handling(err error) (verdict, *refusal) {
	if err == nil {
		return verdict{}, nil
	}
	var e *bgp.MessageError
	if !errors.As(err, &e) {
		return verdict{}, &refusal{codeUpdate, 0, nil, "an UPDATE: " + err.Error()}
	}
	switch e.ErrorHandling {
	case bgp.ERROR_HANDLING_NONE, bgp.ERROR_HANDLING_ATTRIBUTE_DISCARD:
		return verdict{problem: "an attribute was discarded: " + e.Message}, nil
	case bgp.ERROR_HANDLING_TREAT_AS_WITHDRAW:
		return verdict{problem: "treated as a withdrawal: " + e.Message, withdraw: true}, nil
	}
	// Routes that cannot be read reset the session (RFC 7606 §5.3). To disable
	// one family instead would leave stale ones behind.
	return verdict{}, &refusal{codeUpdate, e.SubTypeCode, e.Data, "an UPDATE: " + e.Message}
}

// tooLong returns the length in bits of a route target membership that is longer
// than one can be (RFC 4684 §4), or 0. The codec takes them.
func tooLong(update *bgp.BGPUpdate) uint8 {
	for _, attr := range update.PathAttributes {
		var nlris []bgp.AddrPrefixInterface
		switch a := attr.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			nlris = a.Value
		case *bgp.PathAttributeMpUnreachNLRI:
			nlris = a.Value
		}
		for _, n := range nlris {
			m, ok := n.(*bgp.RouteTargetMembershipNLRI)
			if !ok {
				break // all are of one family
			}
			if m.Length > 96 {
				return m.Length
			}
		}
	}
	return 0
}

// codecFamilies are those that Buoy speaks, as the codec names them.
var codecFamilies = map[bgp.RouteFamily]bgp.BGPAddPathMode{bgp.RF_IPv4_VPN: 0, bgp.RF_IPv6_VPN: 0, bgp.RF_RTC_UC: 0}

// strangers names a family that an UPDATE has routes of and that was not
// negotiated.
func strangers(update *bgp.BGPUpdate, families neighbor.Families) string {
	if len(update.NLRI) > 0 || len(update.WithdrawnRoutes) > 0 {
		return "inet unicast"
	}
	for _, attr := range update.PathAttributes {
		var afi uint16
		var safi uint8
		switch a := attr.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			afi, safi = a.AFI, a.SAFI
		case *bgp.PathAttributeMpUnreachNLRI:
			afi, safi = a.AFI, a.SAFI
		default:
			continue
		}
		if f, ok := neighbor.FamilyOf(afi, safi); !ok || !families.Contains(f) {
			return fmt.Sprintf("AFI %d, SAFI %d", afi, safi)
		}
	}
	return ""
}
