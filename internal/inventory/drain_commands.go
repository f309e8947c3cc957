package inventory

import "time"

// maxDrainTime is how long gateways may be given at most.
const maxDrainTime = 24 * time.Hour

// DrainComputeNode takes a compute node out of service: for the wait gateways are
// told to choose other routes, then its routes are withdrawn. Asked again
// meanwhile, the wait begins anew. One that is drained stays so: who asks wants
// it out of service, and it is; its routes must not come back for the wait.
type DrainComputeNode struct {
	Name string
	Wait time.Duration // 0..24 h; 0 withdraws at once
}

func (c DrainComputeNode) plan(s moment) ([]Mutation, error) {
	n, ok := s.ComputeNode(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if c.Wait < 0 || c.Wait > maxDrainTime {
		return nil, invalid(ReasonInvalid, "wait", "expected 0..%d seconds, got %d", int(maxDrainTime.Seconds()), int(c.Wait.Seconds()))
	}
	switch {
	case n.Drain.State == Drained:
		return nil, nil
	case c.Wait == 0:
		return n.drain(Drain{State: Drained}), nil
	}
	// Rounded up to what the API shows: gateways have at least the wait.
	until := s.now.Add(c.Wait + time.Second - 1).UTC().Truncate(time.Second)
	return n.drain(Drain{State: Draining, Until: until}), nil
}

// UndrainComputeNode puts a compute node back into service, whatever its drain
// has come to.
type UndrainComputeNode struct {
	Name string
}

func (c UndrainComputeNode) plan(s moment) ([]Mutation, error) {
	n, ok := s.ComputeNode(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	return n.drain(Drain{}), nil
}

// FinishDrain withdraws the routes of a compute node whose time is over, but not
// if its drain has become another one meanwhile, or none.
type FinishDrain struct {
	Name  string
	Until time.Time
}

func (c FinishDrain) plan(s moment) ([]Mutation, error) {
	n, ok := s.ComputeNode(c.Name)
	if !ok || n.Drain.State != Draining || !n.Drain.Until.Equal(c.Until) {
		return nil, nil
	}
	return n.drain(Drain{State: Drained}), nil
}

// drain changes the drain of a compute node, if it is another one.
func (n *ComputeNode) drain(d Drain) []Mutation {
	if n.Drain == d {
		return nil
	}
	changed := *n
	changed.Drain = d
	return []Mutation{put(nodePrefix+n.Name, n.Version, changed)}
}
