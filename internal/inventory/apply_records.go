package inventory

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/vrf"
)

func (s *State) applyInterface(c Change) error {
	use, err := decode[interfaceUse](c)
	if err != nil {
		return err
	}
	node, name := segment(c.Key, interfacePrefix)
	if old := replace(&s.interfaces, c.Key, use); old != nil {
		if held, _ := s.labels.Get(old); held == old {
			s.labels.Delete(old)
			s.labelFreed(old.node, old.Label)
		}
	}
	if use != nil {
		use.node, use.name, use.version = intern(ComputeNodeName(node)), name, c.Version
		s.labels.Set(use)
		s.labelRuns.Add(use.node, ipam.Number{Lo: uint64(use.Label)})
	}
	return nil
}

func (s *State) applyResting(c Change) error {
	r, err := decode[restingLabel](c)
	if err != nil {
		return err
	}
	node, text := segment(c.Key, restingPrefix)
	label, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("expected the key to end with a label, got %q", text)
	}
	if old := replace(&s.resting, c.Key, r); old != nil {
		s.byRelease.Delete(old)
		s.labelFreed(old.node, old.label)
	}
	if r != nil {
		r.node, r.label, r.version = intern(ComputeNodeName(node)), vrf.Label(label), c.Version
		s.byRelease.Set(r)
		s.labelRuns.Add(r.node, ipam.Number{Lo: label})
	}
	return nil
}

// labelFreed forgets a label that is neither used nor resting any more.
func (s *State) labelFreed(node string, label vrf.Label) {
	_, used := s.labelOwner(node, label)
	if _, rests := s.resting.Get(restingKey(node, label)); !used && !rests {
		s.labelRuns.Remove(node, ipam.Number{Lo: uint64(label)})
	}
}

func (s *State) applyCursor(c Change) error {
	v, err := decode[cursor](c)
	if err == nil {
		replace(&s.cursors, strings.TrimPrefix(c.Key, cursorPrefix), v)
	}
	return err
}
