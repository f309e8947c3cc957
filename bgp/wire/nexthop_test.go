package wire

import (
	"bytes"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

// update returns an UPDATE as the engine writes it.
func update(t *testing.T, attrs ...bgp.PathAttributeInterface) []byte {
	t.Helper()
	msg, err := bgp.NewBGPUpdateMessage(nil, attrs, nil).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func vpnv4() bgp.AddrPrefixInterface {
	return bgp.NewLabeledVPNIPAddrPrefix(32, "203.0.113.5", *bgp.NewMPLSLabelStack(100), bgp.NewRouteDistinguisherTwoOctetAS(1, 1))
}

func TestUnusableNextHop(t *testing.T) {
	origin := bgp.NewPathAttributeOrigin(2)
	overIPv6 := update(t, origin, bgp.NewPathAttributeMpReachNLRI("2001:db8::11", []bgp.AddrPrefixInterface{vpnv4()}))
	withdraw := update(t, bgp.NewPathAttributeMpUnreachNLRI([]bgp.AddrPrefixInterface{vpnv4()}))
	m, err := bgp.ParseBGPMessage(unusableNextHop(overIPv6))
	if err != nil {
		t.Fatal(err)
	}
	attrs := m.Body.(*bgp.BGPUpdate).PathAttributes
	unreach, ok := attrs[0].(*bgp.PathAttributeMpUnreachNLRI)
	if len(attrs) != 1 || !ok || len(unreach.Value) != 1 || unreach.Value[0].String() != vpnv4().String() {
		t.Errorf("got %v, want the withdrawal of %s", attrs, vpnv4())
	}

	six := bgp.NewLabeledVPNIPv6AddrPrefix(128, "2001:db8:f::5", *bgp.NewMPLSLabelStack(100), bgp.NewRouteDistinguisherTwoOctetAS(1, 1))
	for name, msg := range map[string][]byte{
		"IPv4 next hop":        update(t, origin, bgp.NewPathAttributeMpReachNLRI("10.0.0.11", []bgp.AddrPrefixInterface{vpnv4()})),
		"VPNv6":                update(t, origin, bgp.NewPathAttributeMpReachNLRI("2001:db8::11", []bgp.AddrPrefixInterface{six})),
		"withdrawal":           withdraw,
		"End-of-RIB":           update(t),
		"KEEPALIVE":            message(typeKeepalive),
		"cut off":              message(typeUpdate, 0, 0, 0, 9, 0x80, attrMPReach, 200, 0, 1, 128, 24),
		"too many withdrawals": message(typeUpdate, 0xff, 0xff, 0, 0),
	} {
		if got := unusableNextHop(msg); !bytes.Equal(got, msg) {
			t.Errorf("%s: got %x, want it unchanged: %x", name, got, msg)
		}
	}
}

// TestExtendedNextHop: only a router that has offered it gets a VPNv4 route
// with an IPv6 next hop.
func TestExtendedNextHop(t *testing.T) {
	overIPv6 := update(t, bgp.NewPathAttributeMpReachNLRI("2001:db8::11", []bgp.AddrPrefixInterface{vpnv4()}))
	for _, offered := range []bool{false, true} {
		w := newWorld(t, nil)
		w.add(settings())
		router := w.connect(routerAddr)
		caps := []bgp.ParameterCapabilityInterface{bgp.NewCapMultiProtocol(bgp.RF_IPv4_VPN)}
		if offered {
			caps = append(caps, bgp.NewCapExtendedNexthop([]*bgp.CapExtendedNexthopTuple{bgp.NewCapExtendedNexthopTuple(bgp.RF_IPv4_VPN, bgp.AFI_IP6)}))
		}
		open, err := bgp.NewBGPOpenMessage(ourAS, 90, "10.0.0.1", []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(caps)}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		router.send(open...)
		router.expect(typeOpen)
		router.send(message(typeKeepalive)...)
		router.expect(typeKeepalive)
		status := w.waitState(neighbor.Established)
		if status.OpenReceived.ExtendedNextHop != offered {
			t.Errorf("offered %v, read %+v", offered, status.OpenReceived)
		}
		w.engine.session(t).conn.Write(overIPv6)
		if got := router.expect(typeUpdate); bytes.Equal(got, overIPv6) != offered {
			t.Errorf("offered %v: the router got %x", offered, got)
		}
	}
}

func FuzzUnusableNextHop(f *testing.F) {
	f.Add([]byte{0, 0, 0, 9, 0x80, attrMPReach, 200, 0, 1, 128, 24})
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 4 || len(body) > maxLength-headerLength {
			return
		}
		msg := message(typeUpdate, body...)
		if got := unusableNextHop(msg); len(got) > len(msg)+8 {
			t.Errorf("%x became %x", msg, got)
		}
	})
}
