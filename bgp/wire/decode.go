package wire

import (
	"fmt"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// decodable is the guard against messages that the engine's decoder panics on:
// that would end the process, and every session with it. It decodes the message
// as the engine will. What is merely wrong is left to the engine, which treats
// it as RFC 7606 says.
func decodable(msg []byte) (r *refusal) {
	defer func() {
		if p := recover(); p != nil {
			// RFC 4271 §6.3: no subcode fits every malformed attribute.
			r = &refusal{codeUpdate, 0, nil, fmt.Sprintf("%s that cannot be decoded: %v", typeNames[msg[18]], p)}
		}
	}()
	// Whether it panics depends on what follows the message in memory: the
	// engine reads into a buffer of the message's size.
	exact := make([]byte, len(msg))
	copy(exact, msg)
	m, err := bgp.ParseBGPMessage(exact)
	if err != nil {
		return nil
	}
	if update, ok := m.Body.(*bgp.BGPUpdate); ok {
		// The engine looks at every attribute for its checks and its log.
		families := map[bgp.RouteFamily]bgp.BGPAddPathMode{bgp.RF_IPv4_VPN: 0, bgp.RF_IPv6_VPN: 0, bgp.RF_RTC_UC: 0}
		for _, external := range []bool{false, true} {
			bgp.ValidateUpdateMsg(update, families, external, false, true)
		}
		for _, attr := range update.PathAttributes {
			_ = attr.String()
			attr.Serialize()
		}
	}
	return nil
}
