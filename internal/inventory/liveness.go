package inventory

import (
	"cmp"
	"time"
)

// Liveness says what makes the routes of a compute node valid.
type Liveness struct {
	Mode      LivenessMode `json:"mode,omitempty"`
	HoldTime  uint32       `json:"hold_time,omitempty"` // seconds, 3..3600; 0 = DefaultHoldTime
	StaleTime uint32       `json:"stale_time"`          // seconds, 0..86400
}

// The default times, in seconds.
const (
	DefaultHoldTime  = 30
	DefaultStaleTime = 120
)

const (
	minHoldTime  = 3 // RFC 4271 §4.2 has the same least one
	maxHoldTime  = 3600
	maxStaleTime = 86_400
)

// DefaultLiveness is that of a compute node that says nothing of it.
var DefaultLiveness = Liveness{StaleTime: DefaultStaleTime}

// IsZero reports whether the store need not have it: compute nodes that were
// written before there was any are as if they had the default.
func (l Liveness) IsZero() bool { return l == DefaultLiveness }

// Hold returns how long a stream may be silent.
func (l Liveness) Hold() time.Duration {
	return time.Duration(cmp.Or(l.HoldTime, DefaultHoldTime)) * time.Second
}

func (l Liveness) check() error {
	switch {
	case int(l.Mode) >= len(livenessModes):
		return invalid(ReasonInvalid, "liveness", "expected none or session, got %d", l.Mode)
	case l.HoldTime != 0 && (l.HoldTime < minHoldTime || l.HoldTime > maxHoldTime):
		return invalid(ReasonInvalid, "hold_time", "expected %d..%d seconds, or 0 for %d, got %d", minHoldTime, maxHoldTime, DefaultHoldTime, l.HoldTime)
	case l.StaleTime > maxStaleTime:
		return invalid(ReasonInvalid, "stale_time", "expected at most %d seconds, got %d", maxStaleTime, l.StaleTime)
	}
	return nil
}

// LivenessMode is who vouches for a compute node.
type LivenessMode uint8

// The modes.
const (
	// Vouched: whoever associates does. Only what a stream of the node itself
	// reports as down is not advertised.
	Vouched LivenessMode = iota
	// Session: the node has a stream, and has reported the interface as up.
	Session
)

var livenessModes = names[LivenessMode]{"none", "session"}

// ParseLivenessMode reads none or session.
func ParseLivenessMode(text string) (LivenessMode, error) { return livenessModes.parse(text) }

func (m LivenessMode) String() string { return livenessModes.text(m) }

// MarshalText implements encoding.TextMarshaler.
func (m LivenessMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *LivenessMode) UnmarshalText(text []byte) (err error) {
	*m, err = ParseLivenessMode(string(text))
	return err
}
