package doctor

import (
	"cmp"
	"fmt"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
)

// nearly is how many percent of something make it nearly used up.
const nearly = 90

// pools looks at how many addresses are left.
func (e *exam) pools() {
	pools := 0
	for p := range e.State.Pools() {
		pools++
		used, total := e.State.Used(p), p.Usable().Size()
		f := Finding{ID: "pool_nearly_full", Area: Pools, Severity: Warning, Subject: p.Name,
			Cause:  fmt.Sprintf("%d of its %d addresses are taken", used, total),
			Remedy: "give it more: buoyctl set pool " + p.Name + " --range …, and the network a subnet if need be; or release floating IPs"}

		if used >= total {
			f.ID = "pool_full"
			f.Cause += ": nobody can draw from it"
		}
		if total > 0 && percent(used, total) >= nearly {
			e.found(f)
		}
	}
	e.texts[Pools] = number(pools, "pool")
	e.well[Pools] = fmt.Sprintf(", none %d %% full", nearly)
}

// percent returns how many percent a part is. Both may be too large to multiply.
func percent(part, whole uint64) float64 { return 100 * float64(part) / float64(whole) }

// computeNodes looks at compute nodes that have lost their stream, are out of service, or
// have few labels left.
func (e *exam) computeNodes() {
	nodes, needed := 0, 0
	for n := range e.State.ComputeNodes() {
		nodes++
		if n.Liveness.Mode == inventory.Session {
			needed++
		}
		e.life(n)
		e.drained(n)
		if taken, total := e.State.Labels(n); percent(taken, total) >= nearly {
			e.found(Finding{ID: "labels_nearly_used", Area: ComputeNodes, Severity: Warning, Subject: n.Name,
				Cause:  fmt.Sprintf("%d of its %d labels are taken, or rest after their last use", taken, total),
				Remedy: fmt.Sprintf("buoyctl set computenode %s --label-range FIRST-LAST, with a larger range", inventory.ShortName(n.Name))})
		}
	}
	e.texts[ComputeNodes] = fmt.Sprintf("%s, of which %d must have a stream", number(nodes, "compute node"), needed)
}

// life looks at the stream of a compute node that must have one.
func (e *exam) life(n *inventory.ComputeNode) {
	if n.Liveness.Mode != inventory.Session || e.Living == nil || n.Drain.State == inventory.Drained {
		return
	}
	life := e.Living.Node(n.Name)
	f := Finding{Area: ComputeNodes, Severity: Warning, Subject: n.Name, Since: life.Since}
	there := e.floatingIPsAt(n)
	switch life.State {
	case inventory.NodeUp:
		return
	case inventory.NodeStale:
		f.ID = "compute_node_stale"
		f.Cause = fmt.Sprintf("%s has lost its stream (%s); the routes of %s are kept until %s", n.Name, life.Reason, number(there, "floating IP"), when(life.Until))
		f.Remedy = explain.Reconnect(inventory.ShortName(n.Name))
	default:
		f.ID = "compute_node_down"
		if there > 0 {
			f.Severity = Error
		}
		f.Cause = fmt.Sprintf("%s is down: %s; floating IPs there: %d", n.Name, cmp.Or(life.Reason, "it has had no stream"), there)
		f.Remedy = explain.Revive(inventory.NodeIsDown, inventory.ShortName(n.Name))
	}
	e.found(f)
}

func (e *exam) floatingIPsAt(n *inventory.ComputeNode) (count int) {
	for range e.State.FloatingIPsAt(n.Name) {
		count++
	}
	return count
}

// drained looks at compute nodes that somebody has taken out of service.
func (e *exam) drained(n *inventory.ComputeNode) {
	f := Finding{ID: "compute_node_drained", Area: ComputeNodes, Severity: Info, Subject: n.Name, Remedy: explain.Revive(inventory.NodeIsDrained, inventory.ShortName(n.Name))}
	switch n.Drain.State {
	case inventory.Draining:
		f.ID = "compute_node_draining"
		f.Cause = fmt.Sprintf("%s is draining until %s; floating IPs there: %d", n.Name, when(n.Drain.Until), e.floatingIPsAt(n))
	case inventory.Drained:
		f.Cause = fmt.Sprintf("%s is drained; floating IPs there: %d", n.Name, e.floatingIPsAt(n))
	default:
		return
	}
	e.found(f)
}
