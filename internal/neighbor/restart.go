package neighbor

import (
	"fmt"
	"slices"
	"strings"
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

// NoFamily stands for no graceful restart in a list of families.
const NoFamily = "none"

// ParseGraceful reads the families with graceful restart and returns the others:
// RestartSettings.Without. No name means every family, NoFamily alone means
// none.
func ParseGraceful(names []string) (without Families, err error) {
	switch {
	case len(names) == 0:
		return 0, nil
	case len(names) == 1 && names[0] == NoFamily:
		return AllFamilies, nil
	case slices.Contains(names, NoFamily):
		return 0, fmt.Errorf("expected families, or %s alone, got %s", NoFamily, strings.Join(names, ","))
	}
	graceful, err := ParseFamilies(names)
	if err != nil {
		return 0, fmt.Errorf("%w; %s for no graceful restart", err, NoFamily)
	}
	return AllFamilies &^ graceful, nil
}

// GracefulNames returns what ParseGraceful reads: the families of a neighbor
// with graceful restart, or NoFamily.
func (s Settings) GracefulNames() []string {
	if s.Graceful() == 0 {
		return []string{NoFamily}
	}
	return s.Graceful().Strings()
}

// validateRestart checks what is offered for the time without a session.
func (s Settings) validateRestart() error {
	r, graceful := s.Restart, s.Graceful()
	switch {
	case graceful == 0 && r.Without != AllFamilies:
		return &FieldError{"graceful_restart", fmt.Sprintf("expected some of the session's families, %s, or %s; got %s", s.Families, NoFamily, AllFamilies&^r.Without)}
	case r.Time > MaxRestartTime:
		return &FieldError{"restart_time", fmt.Sprintf("expected 1..%d seconds, got %d", MaxRestartTime, r.Time)}
	case r.LongLivedTime > MaxLongLivedTime:
		return &FieldError{"long_lived_time", fmt.Sprintf("expected 0..%d seconds, got %d", MaxLongLivedTime, r.LongLivedTime)}
	case r.LongLived != 0 && r.LongLivedTime == 0:
		return &FieldError{"long_lived_time", fmt.Sprintf("expected 1..%d seconds for the families of long_lived, %s; got 0", MaxLongLivedTime, r.LongLived)}
	case r.LongLivedTime > 0 && graceful == 0:
		return &FieldError{"long_lived_time", fmt.Sprintf("expected 0 while graceful_restart is %s (RFC 9494 §4.1), got %d", NoFamily, r.LongLivedTime)}
	}
	return s.validateLongLived()
}

// validateLongLived refuses long-lived families without graceful restart (RFC
// 9494 §4.1).
func (s Settings) validateLongLived() error {
	lacking := s.Restart.LongLived &^ s.Graceful()
	if lacking == 0 {
		return nil
	}
	add := "graceful_restart"
	if lacking&^s.Families != 0 {
		add = "families"
	}
	return &FieldError{"long_lived", fmt.Sprintf("expected families with graceful restart, %s; leave %s out, or add it to %s", s.Graceful(), lacking, add)}
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

// LongLived returns the families of a neighbor with long-lived graceful restart.
func (s Settings) LongLived() Families {
	switch {
	case s.Restart.LongLivedTime == 0:
		return 0
	case s.Restart.LongLived == 0:
		return s.Graceful()
	default:
		return s.Graceful() & s.Restart.LongLived
	}
}

// Offer returns what our OPEN says. The flags R and F are for who knows what
// happened before.
func (s Settings) Offer() (r Restart) {
	if r.Families = s.Graceful(); r.Families == 0 {
		return Restart{}
	}
	r.Notification = true
	r.Time = time.Duration(s.Restart.RestartTime()) * time.Second
	for _, f := range s.LongLived().Slice() {
		r.LongLived[f] = time.Duration(s.Restart.LongLivedTime) * time.Second
	}
	return r
}
