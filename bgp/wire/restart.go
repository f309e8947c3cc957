package wire

import (
	"encoding/binary"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// The flags of the capabilities of graceful restart (RFC 4724 §3, RFC 8538 §2,
// RFC 9494 §3), and what a restart time leaves of its two octets.
const (
	flagRestarting   = 0x8000
	flagNotification = 0x4000
	restartTimeBits  = 12
	flagPreserved    = 0x80
)

// restart returns what our OPEN says about graceful restart. The compute nodes
// forward without us, so whatever the router has kept may stay (RFC 4724 §4.1):
// after a lost session, and when we have restarted within the time for which
// the router keeps it.
func (p *peer) restart() neighbor.Restart {
	r := p.settings.Offer()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.known || p.status.Established > 0:
		r.Preserved = r.Families
	case !p.told && time.Since(p.config.LastRun) < r.Kept():
		r.Restarting, r.Preserved = true, r.Families
	}
	return r
}

// agreedRestart reports whether the router keeps our routes when the established
// session is lost, and also when a NOTIFICATION ends it. The caller holds p.mu.
func (p *peer) agreedRestart() (lost, notified bool) {
	if p.status.State != neighbor.Established {
		return false, false
	}
	return p.status.Kept() != 0, p.status.KeptAfterNotification()
}

// ceaseMessage returns a Cease. When the router would keep our routes over it
// although they are no longer true, it is a Hard Reset (RFC 8538 §3).
func ceaseMessage(subcode byte, communication string, hard bool) []byte {
	var data []byte
	if communication != "" {
		data = append([]byte{byte(len(communication))}, communication...)
	}
	if hard {
		data = append([]byte{codeCease, subcode}, data...)
		subcode = ceaseHardReset
	}
	return message(typeNotification, append([]byte{codeCease, subcode}, data...)...)
}

// readRestart reads a Graceful Restart capability of a valid length.
func readRestart(value []byte, longLived neighbor.StaleTimes) neighbor.Restart {
	head := binary.BigEndian.Uint16(value)
	r := neighbor.Restart{
		Restarting:   head&flagRestarting != 0,
		Notification: head&flagNotification != 0,
		Time:         time.Duration(head&(1<<restartTimeBits-1)) * time.Second,
		LongLived:    longLived,
	}
	for value = value[2:]; len(value) > 0; value = value[4:] {
		f, ok := neighbor.FamilyOf(binary.BigEndian.Uint16(value), value[2])
		if !ok {
			continue
		}
		r.Families |= neighbor.NewFamilies(f)
		if value[3]&flagPreserved != 0 {
			r.Preserved |= neighbor.NewFamilies(f)
		}
	}
	return r
}

// readStaleTimes reads a Long-Lived Graceful Restart capability of a valid
// length.
func readStaleTimes(value []byte) (times neighbor.StaleTimes) {
	for ; len(value) > 0; value = value[7:] {
		if f, ok := neighbor.FamilyOf(binary.BigEndian.Uint16(value), value[2]); ok {
			seconds := uint32(value[4])<<16 | uint32(value[5])<<8 | uint32(value[6])
			times[f] = time.Duration(seconds) * time.Second
		}
	}
	return times
}

// appendRestart writes the capabilities of graceful restart.
func appendRestart(b []byte, r neighbor.Restart) []byte {
	if r.Families == 0 {
		return b
	}
	head := uint16(r.Time.Seconds())
	if r.Restarting {
		head |= flagRestarting
	}
	if r.Notification {
		head |= flagNotification
	}
	value := binary.BigEndian.AppendUint16(nil, head)
	var longLived []byte
	for _, f := range r.Families.Slice() {
		var flags byte
		if r.Preserved.Contains(f) {
			flags = flagPreserved
		}
		value = append(binary.BigEndian.AppendUint16(value, f.AFI()), f.SAFI(), flags)
		if t := uint32(r.LongLived[f].Seconds()); t > 0 {
			longLived = append(binary.BigEndian.AppendUint16(longLived, f.AFI()), f.SAFI(), flags, byte(t>>16), byte(t>>8), byte(t))
		}
	}
	b = appendCapability(b, neighbor.CapGracefulRestart, value)
	if longLived != nil {
		b = appendCapability(b, neighbor.CapLongLivedGR, longLived)
	}
	return b
}
