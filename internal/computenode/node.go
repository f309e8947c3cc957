package computenode

import (
	"math"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// moment is what the clocks say. Deadlines go by mono, which nobody sets.
type moment struct {
	wall time.Time
	mono time.Duration
}

// at is what the wall clock will say when the other says so.
func (m moment) at(mono time.Duration) time.Time { return m.wall.Add(mono - m.mono) }

const never = time.Duration(math.MaxInt64)

// node is a compute node that the inventory has. It is owned by core.
type node struct {
	name   string
	policy inventory.Liveness
	life   inventory.NodeLife // as snapshots show it

	stream    uint64        // the number of its stream; 0 when there is none
	heard     time.Duration // when the stream said something last
	mentioned int           // how many interfaces the stream has reported
	says      bool          // the stream says what is programmed
	has       uint64        // what is programmed: everything up to this revision
	lost      time.Duration // since when it is stale
	restored  bool          // it is stale because we were away

	timed map[string]struct{} // the interfaces that have flapped lately
	due   time.Duration       // nothing happens by itself before
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// hold is how long its stream may be silent.
func (n *node) hold() time.Duration { return n.policy.Hold() }

// grace is how long it may be stale.
func (n *node) grace() time.Duration {
	switch {
	case n.policy.Mode == inventory.Session:
		return seconds(n.policy.StaleTime)
	case n.restored:
		return n.hold()
	default:
		return 0
	}
}

// iface is what is known of an interface. It does not change: another one takes its
// place.
type iface struct {
	node    string
	life    inventory.InterfaceLife
	stream  uint64 // the newest one that has reported it
	damping damping
	damped  time.Duration // until then, while life.DampedUntil is set
}

// key finds an interface.
func key(node, name string) *iface {
	return &iface{node: node, life: inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{Name: name}}}
}

func ifaceBefore(a, b *iface) bool {
	if a.node != b.node {
		return a.node < b.node
	}
	return a.life.Name < b.life.Name
}

// grain is how exact the end of damping is: of thousands of interfaces that flap,
// many are looked at together.
const grain = 100 * time.Millisecond

// due is when something happens to it by itself.
func (i *iface) due() time.Duration {
	due := i.damping.forgotten()
	if !i.life.DampedUntil.IsZero() {
		due = i.damped
	}
	return (due + grain - 1).Truncate(grain)
}

// next returns an interface as it is after a report.
func (i iface) next(now moment, r inventory.InterfaceReport) iface {
	was := i.life
	i.life = inventory.InterfaceLife{InterfaceReport: r, Since: now.wall}
	switch {
	case r.State == was.State:
		i.life.Since, i.life.DampedUntil = was.Since, was.DampedUntil
	case was.State == inventory.InterfaceUp:
		i.damping = i.damping.flap(now.mono)
	case r.State == inventory.InterfaceUp:
		if i.damping = i.damping.after(now.mono); i.damping.penalty > 0 {
			i.damped = now.mono + i.damping.penalty
			i.life.DampedUntil = now.at(i.damped)
		}
	}
	i.life.Flaps = i.damping.flaps
	return i
}

// later returns an interface as it is after some time without a report.
func (i iface) later(now moment) iface {
	if now.mono >= i.damped {
		i.life.DampedUntil = time.Time{}
	}
	i.damping = i.damping.after(now.mono)
	i.life.Flaps = i.damping.flaps
	return i
}

// verdict is what the routes of a place depend on.
type verdict struct {
	up         bool
	preference inventory.Preference
}

// verdict says what becomes of a place; nil stands for an interface that nothing is
// known of. It is what inventory.State.Standing makes of it.
func (n *node) verdict(i *iface) verdict {
	if i == nil {
		return verdict{up: n.policy.Mode == inventory.Vouched}
	}
	up := i.life.DampedUntil.IsZero()
	switch i.life.State {
	case inventory.InterfaceUp:
		up = up && (n.policy.Mode == inventory.Vouched || n.life.State != inventory.NodeDown)
	case inventory.InterfaceUnknown:
		up = up && n.policy.Mode == inventory.Vouched
	default:
		up = false
	}
	if !up {
		return verdict{}
	}
	return verdict{true, i.life.Preference}
}
