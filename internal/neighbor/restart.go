package neighbor

import (
	"fmt"
	"time"
)

// RestartSettings are what is offered to a neighbor for the time in which it
// has no session with us: graceful restart (RFC 4724) and long-lived graceful
// restart (RFC 9494). The zero value is graceful restart for every family of
// the session.
type RestartSettings struct {
	// Without are families without graceful restart.
	Without Families `json:"without,omitempty"`
	// Time is how long the neighbor keeps our routes while we are away, in
	// seconds: 1..MaxRestartTime, 0 for DefaultRestartTime.
	Time uint16 `json:"time,omitempty"`
	// LongLivedTime is how much longer it keeps them as a last resort, in
	// seconds: 1..MaxLongLivedTime, 0 for not at all.
	LongLivedTime uint32 `json:"long_lived_time,omitempty"`
	// LongLived are the families for which it does; empty for all with graceful
	// restart.
	LongLived Families `json:"long_lived,omitempty"`
}

// Restart times in seconds. The maxima are those of the capabilities' fields
// (RFC 4724 §3, RFC 9494 §3).
const (
	DefaultRestartTime = 300
	MaxRestartTime     = 1<<12 - 1
	MaxLongLivedTime   = 1<<24 - 1
)

func (r RestartSettings) validate() error {
	switch {
	case r.Time > MaxRestartTime:
		return &FieldError{"restart_time", fmt.Sprintf("expected 1..%d seconds, got %d", MaxRestartTime, r.Time)}
	case r.LongLivedTime > MaxLongLivedTime:
		return &FieldError{"long_lived_time", fmt.Sprintf("expected 0..%d seconds, got %d", MaxLongLivedTime, r.LongLivedTime)}
	case r.LongLived != 0 && r.LongLivedTime == 0:
		return &FieldError{"long_lived_time", "expected a time for the long-lived families"}
	case r.LongLived&r.Without != 0:
		return &FieldError{"long_lived", fmt.Sprintf("expected families with graceful restart, got %s (RFC 9494 §4.1)", r.LongLived&r.Without)}
	}
	return nil
}

// RestartTime returns how long the neighbor is asked to keep our routes, in
// seconds.
func (r RestartSettings) RestartTime() uint16 {
	if r.Time == 0 {
		return DefaultRestartTime
	}
	return r.Time
}

// Graceful returns the families of a neighbor with graceful restart.
func (s Settings) Graceful() Families { return s.Families &^ s.Restart.Without }

// Offer returns what our OPEN says. The flags R and F are for who knows what
// happened before.
func (s Settings) Offer() (r Restart) {
	if r.Families = s.Graceful(); r.Families == 0 {
		return Restart{}
	}
	r.Notification = true
	r.Time = time.Duration(s.Restart.RestartTime()) * time.Second
	for _, f := range r.Families.Slice() {
		if s.Restart.LongLived == 0 || s.Restart.LongLived.Contains(f) {
			r.LongLived[f] = time.Duration(s.Restart.LongLivedTime) * time.Second
		}
	}
	return r
}
