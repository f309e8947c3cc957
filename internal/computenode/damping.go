package computenode

import "time"

// What makes an interface count as down although it is up. It went down so often
// within the window: then for minDamping after it has come up, and twice as long
// after each further time, up to maxDamping. A window without a flap forgets it.
const (
	flapsToDamp = 5
	flapWindow  = time.Minute
	minDamping  = 4 * time.Second
	maxDamping  = 32 * time.Second
)

// damping remembers how an interface has flapped: gone from up to anything else.
// The zero value has never seen that.
type damping struct {
	flaps   int                        // since there was a window without any
	recent  [flapsToDamp]time.Duration // when the last ones were; the one with the number n at n modulo flapsToDamp
	penalty time.Duration              // how long it counts as down after it has come up; 0 when it has not flapped enough
}

// flap notes that the interface has gone down.
func (d damping) flap(now time.Duration) damping {
	d = d.after(now)
	d.recent[d.flaps%flapsToDamp] = now
	d.flaps++
	oldest := d.recent[d.flaps%flapsToDamp]
	switch {
	case d.penalty > 0:
		d.penalty = min(2*d.penalty, maxDamping)
	case d.flaps >= flapsToDamp && now-oldest < flapWindow:
		d.penalty = minDamping
	}
	return d
}

// after returns what is left of it at a time.
func (d damping) after(now time.Duration) damping {
	if d.flaps > 0 && now >= d.forgotten() {
		return damping{}
	}
	return d
}

// forgotten is when nothing will be left of it, unless the interface flaps again.
func (d damping) forgotten() time.Duration {
	return d.recent[(d.flaps+flapsToDamp-1)%flapsToDamp] + flapWindow
}
