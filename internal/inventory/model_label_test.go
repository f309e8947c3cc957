package inventory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/buoynet/buoy/vrf"
)

// labelsOf returns the labels that are given to a compute node's interfaces.
func labelsOf(n ComputeNode) (first, last vrf.Label) {
	if n.Labels == (LabelRange{}) {
		return 100000, 999999
	}
	return n.Labels.First, n.Labels.Last
}

// rests reports whether a label may not be used by another interface.
func (m *model) rests(k nodeLabel) bool {
	r, ok := m.resting[k]
	hold := time.Duration(m.nodes[k.node].LabelHoldDown) * time.Second
	if hold == 0 {
		hold = time.Minute
	}
	age := m.now.Sub(time.Unix(r.Released, 0))
	return ok && -hold < age && age < hold
}

// used returns which interface of a node uses a label, and which label an
// interface uses.
func (m *model) used(node string) (interfaces map[vrf.Label]string, labels map[string]vrf.Label) {
	interfaces, labels = map[vrf.Label]string{}, map[string]vrf.Label{}
	for _, f := range m.floating {
		for _, a := range f.Associations {
			if a.ComputeNode == node {
				interfaces[a.Label], labels[a.Interface] = a.Interface, a.Label
			}
		}
	}
	return interfaces, labels
}

func (m *model) associate(f FloatingIP, a Association, out *outcome) (broken reasons) {
	n := m.nodes[a.ComputeNode]
	broken.add(n.Name == "", ReasonNotFound)
	broken.add(!nameRule.MatchString(a.ComputeNode), ReasonInvalid)
	broken.add(a.Label > 0 && a.Label < 16 || a.Interface == "tap/", ReasonInvalid)
	broken.add(!a.FixedIP.IsValid(), ReasonInvalid)
	broken.add(a.FixedIP.IsValid() && a.FixedIP.Is4() != f.Address.Is4(), ReasonFamilyMismatch)
	for _, b := range f.Associations {
		broken.add(b.ComputeNode == a.ComputeNode, ReasonAssociated)
	}
	interfaces, labels := m.used(a.ComputeNode)
	own := labels[a.Interface]
	switch {
	case a.Label == 0 && own != 0:
		a.Label = own
	case a.Label == 0:
		choice := m.choice(n, a.Interface, interfaces, out)
		broken.add(len(choice) == 0, ReasonLabelExhausted)
		if out != nil && len(out.fip.Associations) > 0 {
			a.Label = out.fip.Associations[len(out.fip.Associations)-1].Label
			broken.add(!slices.Contains(choice, a.Label), fmt.Sprintf("%d is not one of %v", a.Label, choice))
		}
	default:
		k := nodeLabel{a.ComputeNode, uint64(a.Label)}
		broken.add(own != 0 && own != a.Label, ReasonLabelDiffers)
		broken.add(own == 0 && interfaces[a.Label] != "", ReasonLabelTaken)
		broken.add(own == 0 && m.rests(k) && m.resting[k].Interface != a.Interface, ReasonLabelResting)
	}
	if broken == nil && out != nil {
		f.Associations = append(slices.Clone(f.Associations), a)
		m.floating[f.Name] = f
		delete(m.resting, nodeLabel{a.ComputeNode, uint64(a.Label)})
	}
	return broken
}

// choice returns the labels that an interface without one may get: its own that
// rests, or free ones, or, if there is none, one that has rested. Of free ones
// it returns the first few; Buoy is to take a low one.
func (m *model) choice(n ComputeNode, iface string, interfaces map[vrf.Label]string, out *outcome) (choice []vrf.Label) {
	var free, rested []vrf.Label
	still := false // own ones rest, and not only are not yet forgotten
	first, last := labelsOf(n)
	for l := first; l <= last && l < first+50; l++ {
		k := nodeLabel{n.Name, uint64(l)}
		r, rests := m.resting[k]
		switch {
		case interfaces[l] != "":
		case rests && r.Interface == iface:
			choice, still = append(choice, l), still || m.rests(k)
		case !rests:
			free = append(free, l)
		case !m.rests(k):
			rested = append(rested, l)
		}
	}
	switch {
	case out != nil && (out.stale || out.moved && !still):
		return slices.Concat(choice, free, rested)
	case choice != nil:
		return choice
	case free != nil:
		return free[:1]
	}
	return rested
}

// leave takes associations from a floating IP. What nobody uses any more rests.
func (m *model) leave(f FloatingIP, left []Association) {
	gone := slices.DeleteFunc(slices.Clone(f.Associations), func(a Association) bool { return slices.Contains(left, a) })
	f.Associations = left
	m.floating[f.Name] = f
	for _, a := range gone {
		_, labels := m.used(a.ComputeNode)
		first, last := labelsOf(m.nodes[a.ComputeNode])
		if labels[a.Interface] == 0 && first <= a.Label && a.Label <= last {
			second := m.now.Truncate(time.Second)
			if second.Before(m.now) {
				second = second.Add(time.Second)
			}
			m.resting[nodeLabel{a.ComputeNode, uint64(a.Label)}] = rest{a.Interface, second.Unix()}
		}
	}
}

// wake judges which resting labels were forgotten: only those that have
// rested, and few at once.
func (m *model) wake(out *outcome) (broken reasons) {
	broken.add(len(out.woken) > 6, "many labels were woken")
	for _, k := range out.woken {
		_, there := m.resting[k]
		taken := slices.ContainsFunc(out.fip.Associations, func(a Association) bool {
			return a.ComputeNode == k.node && uint64(a.Label) == k.label
		})
		broken.add(m.rests(k) || !there && !taken, fmt.Sprintf("the rest of %v was ended", k))
		delete(m.resting, k)
	}
	return broken
}

func (m *model) move(c Move, out *outcome) (broken reasons) {
	f, ok := m.floating[c.Name]
	if !ok {
		return reasons{ReasonNotFound}
	}
	left := slices.DeleteFunc(slices.Clone(f.Associations), func(a Association) bool { return c.From == "" || a.ComputeNode == c.From })
	broken.add(len(left) == len(f.Associations), ReasonNotAssociated)
	broken.add(c.From == "" && len(f.Associations) > 1, ReasonAmbiguous)
	if broken != nil {
		return broken
	}
	floating, resting := maps.Clone(m.floating), maps.Clone(m.resting)
	if out != nil {
		out.moved = true
	}
	m.leave(f, left)
	broken = m.associate(m.floating[c.Name], c.Association, out)
	if broken != nil || out == nil {
		m.floating, m.resting = floating, resting
		return broken
	}
	return m.wake(out)
}
