package neighbor

import (
	"fmt"
	"net/netip"
)

// DefaultPort is BGP's port (RFC 4271 §8).
const DefaultPort = 179

// ASTrans stands for an AS of four octets towards those who know only two (RFC
// 6793 §9). No router has it.
const ASTrans = 23456

// Settings is what is configured for a neighbor. It is comparable: a changed
// field means a new session, but for the Policy.
type Settings struct {
	Name     string     `json:"name"`     // short name, unique
	Address  netip.Addr `json:"address"`  // unique; without a zone
	Port     uint16     `json:"port"`     // where to connect to, 1..65535
	AS       uint32     `json:"as"`       // the neighbor's AS, 1..4294967295
	Families Families   `json:"families"` // offered to the neighbor; never empty
	Passive  bool       `json:"passive"`  // wait for the neighbor, never connect to it

	// LocalAddress is our end of the connection; zero for any.
	LocalAddress netip.Addr `json:"local_address,omitzero"`
	// HoldTime is proposed in our OPEN, in seconds: 3..65535, 0 for
	// DefaultHoldTime. The smaller one of both sides counts (RFC 4271 §4.2).
	HoldTime uint16 `json:"hold_time,omitempty"`
	// KeepaliveTime is the time between KEEPALIVEs in seconds: 1..HoldTime/3, 0
	// for a third of the hold time.
	KeepaliveTime uint16 `json:"keepalive_time,omitempty"`
	// TTLSecurity is how many hops away the neighbor may be: 1..254, 0 for
	// anywhere. Packets from further away are dropped (GTSM, RFC 5082).
	TTLSecurity uint8 `json:"ttl_security,omitempty"`
	// Multihop is the TTL of our packets: 1..255, 0 for the usual one, which is
	// 1 for another AS and 64 for our own. It excludes TTLSecurity.
	Multihop uint8 `json:"multihop,omitempty"`
	// MD5Key says where the TCP MD5 key is (RFC 2385). The key itself is never
	// stored or shown.
	MD5Key KeySource `json:"md5_key,omitzero"`
	// Restart is what is agreed on for the time without a session.
	Restart RestartSettings `json:"restart,omitzero"`

	Policy
}

// SameSession reports whether a session with some settings can go on with
// others.
func (s Settings) SameSession(other Settings) bool {
	s.Policy = other.Policy
	return s.Canonical() == other.Canonical()
}

// Canonical returns the settings without what says no more than the default
// does: those that mean the same are equal then.
func (s Settings) Canonical() Settings {
	if s.HoldTime == DefaultHoldTime {
		s.HoldTime = 0
	}
	if s.MaxReceived == DefaultMaxReceived {
		s.MaxReceived = 0
	}
	r := &s.Restart
	if r.Time == DefaultRestartTime {
		r.Time = 0
	}
	if r.LongLived == s.Graceful() {
		r.LongLived = 0
	}
	if s.Graceful() == 0 {
		r.Without = AllFamilies
	} else {
		r.Without &= s.Families
	}
	return s
}

// KeySource is where the daemon finds a key: in a file or in a variable of its
// environment, not both. The zero value is no key.
type KeySource struct {
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
}

// IsZero reports whether there is no key.
func (k KeySource) IsZero() bool { return k == KeySource{} }

// String says where the key is, never what it is.
func (k KeySource) String() string {
	switch {
	case k.File != "":
		return "file " + k.File
	case k.Env != "":
		return "environment variable " + k.Env
	default:
		return ""
	}
}

// DefaultHoldTime is that of RFC 4271 §10.
const DefaultHoldTime = 90

// Hold returns the hold time that is proposed, in seconds.
func (s Settings) Hold() uint16 {
	if s.HoldTime == 0 {
		return DefaultHoldTime
	}
	return s.HoldTime
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
	case s.Address.Is6() && s.Address.IsLinkLocalUnicast():
		return &FieldError{"address", fmt.Sprintf("%s is link-local; such sessions are not supported", s.Address)}
	case s.Port == 0:
		return &FieldError{"port", "expected a port 1..65535"}
	case s.AS == 0:
		return &FieldError{"as", "expected an AS 1..4294967295"}
	case s.AS == ASTrans:
		return &FieldError{"as", "expected an AS other than AS_TRANS (RFC 6793), got 23456"}
	case s.Families == 0:
		return &FieldError{"families", "expected at least one of " + AllFamilies.String()}
	}
	return s.validateSession()
}

// validateSession checks what may be left out.
func (s Settings) validateSession() error {
	local := s.LocalAddress
	switch {
	case local.IsValid() && (local.Zone() != "" || local.Is4In6() || local.IsUnspecified() || local.IsMulticast()):
		return &FieldError{"local_address", fmt.Sprintf("expected a unicast address without a zone, got %s", local)}
	case local.IsValid() && local.Is4() != s.Address.Is4():
		return &FieldError{"local_address", fmt.Sprintf("%s and the neighbor's address %s are of different families", local, s.Address)}
	case s.HoldTime == 1 || s.HoldTime == 2:
		return &FieldError{"hold_time", fmt.Sprintf("expected 3..65535 seconds, got %d", s.HoldTime)}
	case s.KeepaliveTime > s.Hold()/3:
		return &FieldError{"keepalive_time", fmt.Sprintf("expected at most a third of the hold time, %d seconds, got %d", s.Hold()/3, s.KeepaliveTime)}
	case s.TTLSecurity == 255:
		return &FieldError{"ttl_security", "expected 1..254 hops, got 255"}
	case s.TTLSecurity > 0 && s.Multihop > 0:
		return &FieldError{"multihop", "expected not to go with ttl_security, which always sends with a TTL of 255"}
	case s.MD5Key.File != "" && s.MD5Key.Env != "":
		return &FieldError{"md5_key_env", "expected a file or an environment variable, not both"}
	}
	if err := s.Policy.validate(); err != nil {
		return err
	}
	return s.validateRestart()
}
