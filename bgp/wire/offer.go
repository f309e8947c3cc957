package wire

import (
	"encoding/binary"
	"os"
	"sync"

	"github.com/buoynet/buoy/internal/neighbor"
)

// offer returns our OPEN: version, AS, hold time and identifier as the engine
// has them, and the capabilities of what the wire and the Adj-RIB-Out do.
func (p *peer) offer(engines []byte) []byte {
	body := append([]byte(nil), engines[headerLength:headerLength+9]...)
	caps := multiprotocol(p.settings.Families)
	caps = appendCapability(caps, neighbor.CapRouteRefresh, nil)
	caps = appendCapability(caps, neighbor.CapEnhancedRefresh, nil)
	caps = appendCapability(caps, neighbor.CapExtendedMessage, nil)
	if p.settings.Families.Contains(neighbor.InetVPN) {
		caps = appendCapability(caps, neighbor.CapExtendedNextHop, vpnv4OverIPv6)
	}
	caps = appendCapability(caps, neighbor.CapFourOctetAS, binary.BigEndian.AppendUint32(nil, p.config.LocalAS))
	caps = appendRestart(caps, p.restart())
	if name := hostname(); name != "" {
		value := append([]byte{byte(len(name))}, name...)
		caps = appendCapability(caps, neighbor.CapFQDN, append(value, 0)) // and no domain
	}
	// One parameter of at most 255 bytes: the longest of each come to less.
	body = append(body, byte(len(caps)+2), 2, byte(len(caps)))
	return message(typeOpen, append(body, caps...)...)
}

func appendCapability(b []byte, code neighbor.Capability, value []byte) []byte {
	return append(append(b, code, byte(len(value))), value...)
}

// hostname returns the name of this machine, which routers show beside our
// address; empty when there is none that fits.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil || len(name) > 64 {
		return ""
	}
	return name
})
