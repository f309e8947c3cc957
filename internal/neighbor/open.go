package neighbor

import (
	"net/netip"
	"slices"
	"time"
)

// Capability is a capability code (IANA registry "Capability Codes").
type Capability = uint8

// The capabilities that Buoy knows.
const (
	CapMultiprotocol   Capability = 1  // RFC 4760
	CapRouteRefresh    Capability = 2  // RFC 2918
	CapExtendedNextHop Capability = 5  // RFC 8950
	CapExtendedMessage Capability = 6  // RFC 8654
	CapGracefulRestart Capability = 64 // RFC 4724
	CapFourOctetAS     Capability = 65 // RFC 6793
	CapAddPath         Capability = 69 // RFC 7911
	CapEnhancedRefresh Capability = 70 // RFC 7313
	CapLongLivedGR     Capability = 71 // RFC 9494
	CapFQDN            Capability = 73 // draft-walton-bgp-hostname-capability
)

// Open is what an OPEN message says (RFC 4271 §4.2).
type Open struct {
	AS       uint32 // from the 4-octet AS capability (RFC 6793) when it is there
	RouterID netip.Addr
	HoldTime time.Duration // zero or at least 3 s
	Families Families      // of those that Buoy speaks, from the multiprotocol capabilities
	// ExtendedNextHop: VPNv4 routes may have an IPv6 next hop (RFC 8950).
	ExtendedNextHop bool
	Restart         Restart
	// Others lists multiprotocol families that Buoy does not speak, as "AFI/SAFI".
	Others []string
	// Capabilities lists the capability codes in the order of the message.
	Capabilities []Capability
}

// Has reports whether a capability is there.
func (o *Open) Has(c Capability) bool { return slices.Contains(o.Capabilities, c) }

// Both reports whether two OPENs have a capability.
func Both(a, b *Open, c Capability) bool { return a.Has(c) && b.Has(c) }

// Restart is what an OPEN says about graceful restart (RFC 4724 §3) and
// long-lived graceful restart (RFC 9494 §3). It is zero without the capability.
type Restart struct {
	Restarting   bool          // R: the sender has restarted, and nobody need wait for its End-of-RIB
	Notification bool          // N: a NOTIFICATION may end the session gracefully, too (RFC 8538 §2)
	Time         time.Duration // how long the sender may be away: 0..4095 s
	Families     Families      // whose routes may stay meanwhile
	Preserved    Families      // F: of these, those for which the sender still forwards
	LongLived    StaleTimes    // how much longer routes may stay, by family; zero: no longer
}

// Kept returns for how long somebody else keeps some of the sender's routes
// while it is away.
func (r Restart) Kept() time.Duration {
	if r.Families == 0 {
		return 0
	}
	return r.Time + slices.Max(r.LongLived[:])
}

// StaleTimes are long-lived stale times by family, 0..16777215 s (RFC 9494 §3).
type StaleTimes [len(families)]time.Duration
