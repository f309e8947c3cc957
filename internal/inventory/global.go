package inventory

import (
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// SeedGlobal writes the AS at the first start. At later starts it checks that
// the configuration still says the same.
type SeedGlobal struct {
	AS uint32
}

func (c SeedGlobal) plan(s moment) ([]Mutation, error) {
	g, ok := s.Global()
	switch {
	case !ok:
		return []Mutation{put(globalKey, Absent, Global{AS: c.AS, NextNetworkID: 1})}, nil
	case g.AS != c.AS:
		return nil, precondition(ReasonASDiffers, "bgp.as", "",
			"the store belongs to AS %d and the configuration says %d; automatic route targets depend on it: set bgp.as to %[1]d; "+
				"to change the AS, run 'buoyctl set global --as %[2]d' while the daemon runs with %[1]d", g.AS, c.AS)
	default:
		return nil, nil
	}
}

// SetGlobal changes the AS. Every automatic target is another one then.
type SetGlobal struct {
	AS uint32
}

func (c SetGlobal) plan(s moment) ([]Mutation, error) {
	if c.AS == 0 || c.AS == neighbor.ASTrans {
		return nil, invalid(ReasonInvalid, "as", "expected an AS 1..4294967295 other than AS_TRANS %d (RFC 6793), got %d", neighbor.ASTrans, c.AS)
	}
	old, ok := s.Global()
	if !ok {
		return nil, precondition(ReasonASDiffers, "", "", "the AS is not known yet")
	}
	if old.AS == c.AS {
		return nil, nil
	}
	var names, colliding []string
	for n := range s.Networks() {
		for t := range n.Targets.Union(n.ImportTargets).Union(n.ExportTargets).All() {
			if routetarget.IsAutomatic(t, c.AS) {
				names, colliding = append(names, n.Name), append(colliding, n.Name+" has "+t.String())
			}
		}
	}
	if len(colliding) > 0 {
		return nil, precondition(ReasonTargetCollides, "as", names[0],
			"with AS %d the automatic targets are %s to %s, and configured ones lie there: %s", c.AS,
			routetarget.Automatic(c.AS, 1), routetarget.Automatic(c.AS, routetarget.MaxNetworkID), listed(colliding, ", "))
	}
	g := *old
	g.AS = c.AS
	return []Mutation{
		put(globalKey, old.Version, g),
		// No network may have been given such a target since this state.
		checkPrefix(networkPrefix, Version(s.revision)),
	}, nil
}
