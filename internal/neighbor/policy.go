package neighbor

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Policy is what a neighbor is sent, and what is taken from it. It is
// comparable, and can change without a new session.
type Policy struct {
	// Encapsulations replace those of every route; empty leaves them.
	Encapsulations vrf.Encapsulations `json:"encapsulations,omitempty"`
	// MaxAdvertised is how many VPN routes the neighbor is sent at most; 0 for
	// all.
	MaxAdvertised uint32 `json:"max_advertised,omitempty"`
	// MaxReceived is how many VPN routes are taken from the neighbor at most; 0
	// for DefaultMaxReceived.
	MaxReceived uint32 `json:"max_received,omitempty"`
	// AcceptPrefixes are the prefixes of the VPN routes that are taken.
	AcceptPrefixes PrefixFilter `json:"accept_prefixes,omitzero"`
	// AcceptTargets are route targets: a VPN route that is taken carries one of
	// them. Empty for any route.
	AcceptTargets routetarget.Set `json:"accept_targets,omitzero"`
	// MaxReceivedAction is what becomes of a neighbor that announces more than
	// MaxReceived.
	MaxReceivedAction MaxReceivedAction `json:"max_received_action,omitempty"`
}

// MaxReceivedAction is what becomes of a neighbor that announces too many routes.
type MaxReceivedAction uint8

// The actions.
const (
	MaxReceivedWarn MaxReceivedAction = iota // what is too much is left out, and said
	MaxReceivedStop                          // the session ends, until the neighbor's settings change
)

var maxReceivedActions = [...]string{MaxReceivedWarn: "warn", MaxReceivedStop: "stop"}

// ParseMaxReceivedAction reads warn or stop.
func ParseMaxReceivedAction(text string) (MaxReceivedAction, error) {
	for a, name := range maxReceivedActions {
		if name == text {
			return MaxReceivedAction(a), nil
		}
	}
	return 0, fmt.Errorf("expected %s, got %q", strings.Join(maxReceivedActions[:], " or "), text)
}

// String returns the word that ParseMaxReceivedAction reads.
func (a MaxReceivedAction) String() string { return maxReceivedActions[a] }

// MarshalText implements encoding.TextMarshaler.
func (a MaxReceivedAction) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *MaxReceivedAction) UnmarshalText(text []byte) (err error) {
	*a, err = ParseMaxReceivedAction(string(text))
	return err
}

// DefaultMaxReceived bounds what a neighbor can make us keep.
const DefaultMaxReceived = 100_000

// Maximum returns MaxReceived, or what it is by default.
func (p Policy) Maximum() uint32 {
	if p.MaxReceived == 0 {
		return DefaultMaxReceived
	}
	return p.MaxReceived
}

// MaxRoutes returns how many VPN routes are taken from the neighbor at most: none
// if no prefix is.
func (p Policy) MaxRoutes() int {
	if p.AcceptPrefixes.TakesNothing() {
		return 0
	}
	return int(p.Maximum())
}

// Accepts reports whether a VPN route with a prefix and targets is taken, as long
// as there are not too many. It is asked for each received route.
func (p Policy) Accepts(prefix netip.Prefix, targets routetarget.Set) bool {
	return p.AcceptPrefixes.Contains(prefix) && (p.AcceptTargets.Len() == 0 || p.AcceptTargets.Intersects(targets))
}

// SameFilter reports whether both policies accept the same routes.
func (p Policy) SameFilter(other Policy) bool {
	return p.AcceptPrefixes == other.AcceptPrefixes && p.AcceptTargets == other.AcceptTargets
}

// maxAcceptTargets is as many as a network may have.
const maxAcceptTargets = 256

// validate checks what is not right by its type. The error is a *FieldError.
func (p Policy) validate() error {
	if n := p.AcceptTargets.Len(); n > maxAcceptTargets {
		return &FieldError{"accept_targets", fmt.Sprintf("expected at most %d route targets, got %d", maxAcceptTargets, n)}
	}
	return nil
}
