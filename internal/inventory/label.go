package inventory

import (
	"time"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/vrf"
)

// LabelRange is the labels that Buoy gives to the interfaces of a compute
// node. Labels outside are the node's own: it says which interface has which.
type LabelRange struct {
	First vrf.Label `json:"first"`
	Last  vrf.Label `json:"last"`
}

// DefaultLabels leaves the low labels to compute nodes that number their
// interfaces themselves.
var DefaultLabels = LabelRange{First: 100_000, Last: 999_999}

// The time that a label rests after its last use, before another interface
// gets it: gateways may still send to it. In seconds.
const (
	DefaultLabelHoldDown = 60
	maxLabelHoldDown     = 86_400
)

func (r LabelRange) contains(l vrf.Label) bool { return r.First <= l && l <= r.Last }

// LabelRange returns the labels that Buoy gives.
func (n *ComputeNode) LabelRange() LabelRange {
	if n.Labels == (LabelRange{}) {
		return DefaultLabels
	}
	return n.Labels
}

// HoldDown returns how long a label rests after its last use.
func (n *ComputeNode) HoldDown() time.Duration {
	if n.LabelHoldDown == 0 {
		return DefaultLabelHoldDown * time.Second
	}
	return time.Duration(n.LabelHoldDown) * time.Second
}

func checkLabels(n *ComputeNode) error {
	r := n.LabelRange()
	if r.First < vrf.MinLabel || r.Last > vrf.MaxLabel || r.First > r.Last {
		return invalid(ReasonInvalid, "label_range", "expected labels FIRST-LAST within %d-%d, got %d-%d", vrf.MinLabel, vrf.MaxLabel, r.First, r.Last)
	}
	if n.LabelHoldDown > maxLabelHoldDown {
		return invalid(ReasonInvalid, "label_hold_down", "expected at most %d seconds, got %d", maxLabelHoldDown, n.LabelHoldDown)
	}
	return nil
}

// Labels returns how many labels of a compute node's range are taken, or rest, and how
// many there are.
func (s *State) Labels(n *ComputeNode) (taken, total uint64) {
	r := n.LabelRange()
	return s.labelRuns.Count(n.Name, ipam.Number{Lo: uint64(r.First)}, ipam.Number{Lo: uint64(r.Last)}), uint64(r.Last-r.First) + 1
}

// interfaceUse is the record iface/NODE/INTERFACE: what binds the floating IPs
// of an interface to one label.
type interfaceUse struct {
	Label vrf.Label `json:"label"`
	Users int       `json:"users"` // associations with this interface

	node, name string
	version    Version
}

// restingLabel is the record resting/NODE/LABEL: a label of Buoy's range that
// nobody uses any more.
type restingLabel struct {
	Interface string `json:"interface"` // that had it
	Released  int64  `json:"released"`  // Unix time in seconds

	node    string
	label   vrf.Label
	version Version
}

// left returns how long a label still rests. A clock that was set by more than
// the hold-down, in either direction, ends it.
func (r *restingLabel) left(n *ComputeNode, now time.Time) time.Duration {
	age := now.Sub(time.Unix(r.Released, 0))
	if hold := n.HoldDown(); age.Abs() < hold {
		return hold - age
	}
	return 0
}

// bindLabel makes an association one more user of its interface's label; a
// label of zero is filled in. The compute node takes the label for the
// interface, so no other interface may have it, and the interface no other
// label.
func (s moment) bindLabel(n *ComputeNode, a *Association) ([]Mutation, error) {
	key := interfaceKey(a.ComputeNode, a.Interface)
	if use, ok := s.interfaces.Get(key); ok {
		if a.Label != 0 && use.Label != a.Label {
			return nil, precondition(ReasonLabelDiffers, "label", a.ComputeNode,
				"interface %s of %s has label %d; all its floating IPs share it", a.Interface, a.ComputeNode, use.Label)
		}
		a.Label = use.Label
		return []Mutation{put(key, use.version, interfaceUse{Label: use.Label, Users: use.Users + 1})}, nil
	}
	if a.Label == 0 {
		label, err := s.freeLabel(n, a.Interface)
		if err != nil {
			return nil, err
		}
		a.Label = label
	}
	if owner, taken := s.labelOwner(a.ComputeNode, a.Label); taken {
		return nil, exists(ReasonLabelTaken, "label", a.ComputeNode,
			"%d is the label of interface %s of %s", a.Label, owner.name, a.ComputeNode)
	}
	mutations := []Mutation{
		put(key, Absent, interfaceUse{Label: a.Label, Users: 1}),
		claim(labelKey(a.ComputeNode, a.Label), a.Interface),
	}
	resting := restingKey(a.ComputeNode, a.Label)
	switch r, ok := s.resting.Get(resting); {
	case !ok:
		mutations = append(mutations, check(resting, Absent))
	case r.Interface != a.Interface && r.left(n, s.now) > 0:
		return nil, precondition(ReasonLabelResting, "label", a.ComputeNode,
			"interface %s of %s had %d until a moment ago; it rests for another %s, since gateways may still send to it",
			r.Interface, a.ComputeNode, a.Label, r.left(n, s.now).Round(time.Second))
	default:
		mutations = append(mutations, remove(resting, r.version))
	}
	return append(mutations, s.wake(n, a.Label)...), nil
}

// freeLabel returns the label that an interface gets: the one that it had, if
// that still rests, or the lowest free one, or one that has rested.
func (s moment) freeLabel(n *ComputeNode, name string) (vrf.Label, error) {
	labels := n.LabelRange()
	first := (*restingLabel)(nil) // that is free; not always the oldest, since clocks are set
	for r := range s.restingAt(n.Name) {
		if r.Interface == name && labels.contains(r.label) {
			return r.label, nil
		}
		if labels.contains(r.label) && (first == nil || r.left(n, s.now) < first.left(n, s.now)) {
			first = r
		}
	}
	lowest, highest := ipam.Number{Lo: uint64(labels.First)}, ipam.Number{Lo: uint64(labels.Last)}
	if free, ok := s.labelRuns.NextAbsent(n.Name, lowest, highest); ok {
		return vrf.Label(free.Lo), nil
	}
	if first != nil && first.left(n, s.now) == 0 {
		return first.label, nil
	}
	why := ""
	if first != nil {
		why = ", the first one that rests after its last use is free in " + first.left(n, s.now).Round(time.Second).String()
	}
	return 0, exhausted(ReasonLabelExhausted, "label", n.Name, "all labels %d-%d of %s are taken%s; give the node a larger range", labels.First, labels.Last, n.Name, why)
}

// wakeAtOnce bounds how many labels end their rest with one change. It is more
// than one change can put to rest, so that they do not pile up.
const wakeAtOnce = 2

// wake forgets labels of a compute node that have rested long enough, but not
// the one that the same change deals with.
func (s moment) wake(n *ComputeNode, but vrf.Label) (mutations []Mutation) {
	for r := range s.restingAt(n.Name) {
		if len(mutations) == wakeAtOnce || r.left(n, s.now) > 0 {
			break
		}
		if r.label != but {
			mutations = append(mutations, remove(restingKey(n.Name, r.label), r.version))
		}
	}
	return mutations
}

// releaseLabel makes an association one user less of its interface's label.
func (s moment) releaseLabel(a Association) []Mutation {
	key := interfaceKey(a.ComputeNode, a.Interface)
	use, ok := s.interfaces.Get(key)
	switch {
	case !ok:
		return nil
	case use.Users > 1:
		return []Mutation{put(key, use.version, interfaceUse{Label: use.Label, Users: use.Users - 1})}
	}
	mutations := []Mutation{remove(key, use.version), free(labelKey(a.ComputeNode, use.Label))}
	n, ok := s.ComputeNode(a.ComputeNode)
	if !ok {
		return mutations
	}
	mutations = append(mutations, check(nodePrefix+n.Name, n.Version)) // its range
	if !n.LabelRange().contains(use.Label) {
		return mutations
	}
	released := s.now.Add(time.Second - 1).Unix() // rounded up, or it would not rest long enough
	mutations = append(mutations, put(restingKey(n.Name, use.Label), AnyVersion, restingLabel{Interface: use.name, Released: released}))
	return append(mutations, s.wake(n, use.Label)...)
}
