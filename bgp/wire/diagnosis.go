package wire

import (
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// diagnosisTime is how long a reason that tells something outlives attempts
// that only fail.
const diagnosisTime = time.Minute

// diagnosed keeps what was learnt from the router when a later attempt tells
// less. The caller holds p.mu.
func (p *peer) diagnosed(cause neighbor.Cause, reason string) (neighbor.Cause, string) {
	d := &p.diagnosis
	switch {
	case cause.Tells():
		*d = diagnosis{cause: cause, reason: reason, open: p.status.OpenReceived, time: time.Now()}
	case d.cause != neighbor.CauseNone && time.Since(d.time) < diagnosisTime && cause != neighbor.CauseStopped:
		d.silent = cause == neighbor.CauseTimedOut
		p.status.OpenReceived = d.open
		return d.cause, d.reason + "; since then " + reason
	}
	return cause, reason
}

// diagnosis is the last reason that tells something, and the OPEN that it may
// be about.
type diagnosis struct {
	cause  neighbor.Cause
	reason string
	open   *neighbor.Open
	time   time.Time
	silent bool // since then the router has not answered
}
