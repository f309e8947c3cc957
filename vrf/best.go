package vrf

import (
	"cmp"
	"net/netip"
	"slices"
)

// Paths are the routes of one prefix in a VRF.
type Paths struct {
	// Best are those that packets may follow side by side, the preferred one
	// first. They differ only in what breaks ties.
	Best []*Received
	// Backup are the others that can be used, the better one first.
	Backup []*Received
	// Unusable are those that cannot, see Received.Unusable.
	Unusable []*Received
}

// Len returns the number of routes.
func (p Paths) Len() int { return len(p.Best) + len(p.Backup) + len(p.Unusable) }

// candidate is a route while it is compared.
type candidate struct {
	route *Received
	Attributes
	outdone bool // another one of the same neighboring AS has a lower MED
}

// Rank compares the routes of one prefix as RFC 4271 §9.1.2.2 says, with the
// additions of RFC 4456 §9 and RFC 9494 §4.3; the interior cost of next hops is
// not known and counts as equal. Routes of different distinguishers compete:
// what a VRF has is prefixes (RFC 4364 §4.3.2).
func Rank(routes []*Received) (p Paths) {
	list := make([]candidate, 0, len(routes))
	for _, r := range routes {
		if r.Unusable() != "" {
			p.Unusable = append(p.Unusable, r)
			continue
		}
		list = append(list, candidate{route: r, Attributes: r.Attributes.Value()})
	}
	slices.SortFunc(list, func(a, b candidate) int { return a.beforeMED(b) })
	outdo(list)
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(a.beforeMED(b), a.equalCost(b), a.tie(b))
	})
	for i, c := range list {
		if i == 0 || cmp.Or(list[0].beforeMED(c), list[0].equalCost(c)) == 0 {
			p.Best = append(p.Best, c.route)
		} else {
			p.Backup = append(p.Backup, c.route)
		}
	}
	return p
}

// beforeMED compares what comes before the MED.
func (a candidate) beforeMED(b candidate) int {
	return cmp.Or(
		compareBool(a.LongLivedStale, b.LongLivedStale),
		cmp.Compare(b.LocalPref, a.LocalPref),
		cmp.Compare(a.PathLength, b.PathLength), // a)
		cmp.Compare(a.Origin, b.Origin),         // b)
	)
}

// outdo finds the routes that lose by MED, in a list that is sorted by what comes
// before: a MED says something only beside others of the same neighboring AS.
func outdo(list []candidate) {
	for first := 0; first < len(list); {
		end := first
		least := map[uint32]uint32{}
		for ; end < len(list) && list[first].beforeMED(list[end]) == 0; end++ {
			c := list[end]
			if med, ok := least[c.NeighborAS]; !ok || c.MED < med {
				least[c.NeighborAS] = c.MED
			}
		}
		for i := first; i < end; i++ {
			list[i].outdone = list[i].MED > least[list[i].NeighborAS] // c)
		}
		first = end
	}
}

// equalCost compares the rest of what makes one route better than another.
func (a candidate) equalCost(b candidate) int {
	return cmp.Or(
		compareBool(a.outdone, b.outdone),
		compareBool(!a.route.Source.External, !b.route.Source.External), // d)
	)
}

// tie puts routes that are equally good in an order that is the same everywhere.
func (a candidate) tie(b candidate) int {
	return cmp.Or(
		a.router().Compare(b.router()), // f), RFC 4456 §9
		cmp.Compare(a.Clusters, b.Clusters),
		a.route.Source.compare(b.route.Source), // g)
		a.route.RD.Compare(b.route.RD),
	)
}

// router is the BGP Identifier of where the route comes from.
func (a candidate) router() netip.Addr {
	if a.Originator.IsValid() {
		return a.Originator
	}
	return a.route.Source.RouterID
}

func (s *Source) compare(o *Source) int { return s.Address.Compare(o.Address) }

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
