package inventory

// Liveness says what makes the routes of a compute node valid.
type Liveness struct {
	Mode      LivenessMode `json:"mode,omitempty"`
	HoldTime  uint32       `json:"hold_time,omitempty"`  // seconds, 3..3600; 0 = DefaultHoldTime
	StaleTime uint32       `json:"stale_time,omitempty"` // seconds, 0..86400
}

// The default times, in seconds.
const (
	DefaultHoldTime  = 30
	DefaultStaleTime = 120
)

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
