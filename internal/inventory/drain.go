package inventory

import "time"

// Drain is how far a compute node is on its way out of service.
type Drain struct {
	State DrainState `json:"state,omitempty"`
	Until time.Time  `json:"until,omitzero"` // of Draining: when its routes are withdrawn
}

// Begun reports whether the routes are withdrawn, or about to be.
func (d Drain) Begun() bool { return d.State != NotDrained }

// wanted returns the drain of a compute node that should be drained, or not. One
// that has begun takes its time.
func (d Drain) wanted(drained bool) Drain {
	switch {
	case !drained:
		return Drain{}
	case d.Begun():
		return d
	default:
		return Drain{State: Drained}
	}
}

// DrainState is a stage of a drain.
type DrainState uint8

// The stages.
const (
	NotDrained DrainState = iota
	Draining              // its routes are advertised as the last resort (RFC 8326)
	Drained               // they are withdrawn
)

var drainStates = names[DrainState]{"not_drained", "draining", "drained"}

func (d DrainState) String() string { return drainStates.text(d) }

// MarshalText implements encoding.TextMarshaler.
func (d DrainState) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *DrainState) UnmarshalText(text []byte) (err error) {
	*d, err = drainStates.parse(string(text))
	return err
}
