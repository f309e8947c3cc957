package inventory

import "time"

func (m *model) doDrain(c Command, out *outcome) (broken reasons) {
	var node string
	change := func(n *ComputeNode) {}
	switch c := c.(type) {
	case DrainComputeNode:
		node = c.Name
		broken.add(c.Wait < 0 || c.Wait > 86400*time.Second, ReasonInvalid)
		change = func(n *ComputeNode) {
			switch {
			case n.Drain.State == Drained || c.Wait == 0:
				n.Drain = Drain{State: Drained}
			default:
				until := m.now.Add(c.Wait)
				if until.Nanosecond() > 0 {
					until = time.Unix(until.Unix()+1, 0)
				}
				n.Drain = Drain{Draining, until.UTC()}
			}
		}
	case UndrainComputeNode:
		node = c.Name
		change = func(n *ComputeNode) { n.Drain = Drain{} }
	case FinishDrain:
		n := m.nodes[c.Name]
		if n.Drain.State != Draining || !n.Drain.Until.Equal(c.Until) {
			return nil
		}
		node = c.Name
		change = func(n *ComputeNode) { n.Drain = Drain{State: Drained} }
	}
	n, ok := m.nodes[node]
	if !ok {
		return reasons{ReasonNotFound}
	}
	if broken == nil && out != nil {
		change(&n)
		m.nodes[node] = n
	}
	return broken
}
