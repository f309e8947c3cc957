package neighbor

import (
	"fmt"
	"net/netip"
)

// DefaultPort is BGP's port (RFC 4271 §8).
const DefaultPort = 179

// asTrans stands for an AS of four octets towards those who know only two (RFC
// 6793 §9). No router has it.
const asTrans = 23456

// Settings is what is configured for a neighbor. It is comparable: a changed
// field means a new session.
type Settings struct {
	Name     string     `json:"name"`     // short name, unique
	Address  netip.Addr `json:"address"`  // unique; without a zone
	Port     uint16     `json:"port"`     // where to connect to, 1..65535
	AS       uint32     `json:"as"`       // the neighbor's AS, 1..4294967295
	Families Families   `json:"families"` // offered to the neighbor; never empty
	Passive  bool       `json:"passive"`  // wait for the neighbor, never connect to it
}

// FieldError says which field of a Settings is wrong and what was expected.
type FieldError struct {
	Field   string
	Problem string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// WithDefaults fills what was left out: the port, and the families.
func (s Settings) WithDefaults(families Families) Settings {
	if s.Port == 0 {
		s.Port = DefaultPort
	}
	if s.Families == 0 {
		s.Families = families
	}
	return s
}

// Validate checks every field but the name. The error is a *FieldError.
func (s Settings) Validate() error {
	switch {
	case !s.Address.IsValid():
		return &FieldError{"address", "expected an IPv4 or IPv6 address, for example 10.0.0.1"}
	case s.Address.Zone() != "" || s.Address.Is4In6() || s.Address.IsUnspecified() || s.Address.IsMulticast():
		return &FieldError{"address", fmt.Sprintf("expected a unicast address without a zone, got %s", s.Address)}
	case s.Port == 0:
		return &FieldError{"port", "expected a port 1..65535"}
	case s.AS == 0:
		return &FieldError{"as", "expected an AS 1..4294967295"}
	case s.AS == asTrans:
		return &FieldError{"as", "expected an AS other than AS_TRANS (RFC 6793), got 23456"}
	case s.Families == 0:
		return &FieldError{"families", "expected at least one of " + AllFamilies.String()}
	}
	return nil
}
