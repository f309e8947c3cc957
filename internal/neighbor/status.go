package neighbor

import (
	"net/netip"
	"time"
)

// State is a state of the session (RFC 4271 §8.2.2).
type State uint8

// The states, in the order in which a session comes up.
const (
	Idle        State = iota // not trying: the neighbor was just added or is being removed
	Connect                  // connecting to the neighbor
	Active                   // waiting for the neighbor, or for the next attempt
	OpenSent                 // connected, waiting for the neighbor's OPEN
	OpenConfirm              // both OPENs exchanged, waiting for a KEEPALIVE
	Established              // routes flow
)

var stateNames = [...]string{"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"}

// String returns the RFC's name.
func (s State) String() string { return stateNames[s] }

// Notification is a NOTIFICATION message (RFC 4271 §4.5).
type Notification struct {
	Code, Subcode uint8
	Data          []byte
	Time          time.Time
}

// Counters counts what went over the wire in one direction, over all sessions
// since the neighbor was added.
type Counters struct {
	Opens, Updates, Notifications, Keepalives, RouteRefreshes uint64

	Bytes uint64
	// Only for what is received: Refused counts messages that were answered with
	// a NOTIFICATION instead of being taken, Malformed those that were taken as
	// RFC 7606 says.
	Refused, Malformed uint64
}

// BadMessage is a message that was refused, or taken as RFC 7606 says.
type BadMessage struct {
	Time   time.Time
	Reason string
	Bytes  []byte // the first MaxBadBytes, as far as it was read
	Taken  bool   // as RFC 7606 says
}

// Refused counts connections from addresses that no neighbor has.
type Refused struct {
	Count   uint64
	Address netip.Addr // of the last one
	Time    time.Time  // of the last one
}

// MaxBadBytes is how much of a bad message is kept.
const MaxBadBytes = 4096

// KeptLosses is how many losses of a session are kept.
const KeptLosses = 5

// Messages returns the number of messages that were passed on.
func (c Counters) Messages() uint64 {
	return c.Opens + c.Updates + c.Notifications + c.Keepalives + c.RouteRefreshes
}

// Status is a snapshot of what is known of a neighbor's session.
type Status struct {
	Settings Settings
	State    State
	Since    time.Time // when the session came up or was lost, or the neighbor was added
	Reason   string    // why the session is not established; empty when it is
	Cause    Cause     // of what the reason says

	// Stranger is an address that no neighbor has and that was refused lately.
	// While the session is missing, it may be the neighbor.
	Stranger netip.Addr

	LocalAddress  netip.AddrPort // of the current connection
	RemoteAddress netip.AddrPort

	OpenSent     *Open // of the current or the last session; never changed
	OpenReceived *Open

	NotificationSent     *Notification // the last one, of any session
	NotificationReceived *Notification

	Sent, Received Counters

	// BadMessages are the last few, the oldest first; never changed.
	BadMessages []BadMessage

	// Advertised is how many VPN routes the neighbor has from us; zero while
	// there is no session.
	Advertised uint64
	// MaxReached says that others are withheld, because the neighbor has as many
	// as Policy.MaxAdvertised allows.
	MaxReached bool

	// Queued is how many routes have yet to be compared with what the neighbor has,
	// and QueuedBytes how long the messages are that wait to be written to it.
	Queued, QueuedBytes uint64

	// Taken is how many VPN routes are there from the neighbor, Stale how many of
	// them it has not announced since its session was lost, and Left how many it
	// has announced beyond Policy.MaxReceived. Filtered counts announcements since
	// the session began that the Policy does not accept.
	Taken, Stale, Left, Filtered uint64
	// Ended are the VPN families in which the neighbor has announced all that it had
	// when the session began: its End-of-RIB was there (RFC 4724 §2).
	Ended Families

	Changes     uint64    // of State
	Established uint64    // how often the session came up
	Flaps       uint64    // how often it was lost
	LastUp      time.Time // when it last came up
	LastDown    time.Time // when it was last lost
	// Losses are when it was lost the last few times, at most KeptLosses, the oldest
	// first; never changed.
	Losses []time.Time
}

// Kept returns the families whose routes of ours the neighbor keeps when the
// session is lost: we ask for it, and the neighbor has the capability, whatever
// families it names for its own routes (RFC 4724 §4.2).
func (s Status) Kept() Families {
	if s.OpenSent == nil || s.OpenReceived == nil || !Both(s.OpenSent, s.OpenReceived, CapGracefulRestart) {
		return 0
	}
	return s.Negotiated() & s.OpenSent.Restart.Families
}

// KeptLongLived returns those of them that the neighbor keeps longer, as a last
// resort (RFC 9494 §4.2).
func (s Status) KeptLongLived() (kept Families) {
	for _, f := range s.Kept().Slice() {
		if s.OpenSent.Restart.LongLived[f] > 0 && Both(s.OpenSent, s.OpenReceived, CapLongLivedGR) {
			kept |= NewFamilies(f)
		}
	}
	return kept
}

// KeptAfterNotification reports whether the neighbor keeps them, too, when a
// NOTIFICATION or the hold timer ends the session (RFC 8538 §2).
func (s Status) KeptAfterNotification() bool {
	return s.Kept() != 0 && s.OpenSent.Restart.Notification && s.OpenReceived.Restart.Notification
}

// Negotiated returns the families that both sides offered: those in which
// routes are exchanged. It is empty before both OPENs were seen.
func (s Status) Negotiated() Families {
	if s.OpenSent == nil || s.OpenReceived == nil {
		return 0
	}
	return s.OpenSent.Families & s.OpenReceived.Families
}
