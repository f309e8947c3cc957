package vrf

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestRank: each step of the comparison decides before those behind it.
func TestRank(t *testing.T) {
	one, two, three := source("10.0.0.1"), source("10.0.0.2"), source("10.0.0.3")
	far := &Source{Neighbor: "far", Address: netip.MustParseAddr("10.0.0.9"), RouterID: netip.MustParseAddr("10.0.0.9"), External: true}
	const prefix = "0.0.0.0/0"
	route := func(s *Source, rd string, change func(*Attributes)) *Received { return heard(t, s, rd, prefix, change) }
	path := func(length uint16, as, med uint32) func(*Attributes) {
		return func(a *Attributes) { a.PathLength, a.NeighborAS, a.MED = length, as, med }
	}
	for _, tt := range []struct {
		name         string
		best, backup []*Received
	}{
		{"one", []*Received{route(one, "1:1", nil)}, nil},
		{"equal but for who and which", []*Received{route(one, "1:2", nil), route(two, "1:1", nil), route(two, "1:2", nil)}, nil},
		{"LOCAL_PREF before the path", []*Received{route(two, "1:1", func(a *Attributes) { a.LocalPref, a.PathLength = 200, 5 })},
			[]*Received{route(one, "1:1", nil)}},
		{"not LLGR_STALE before LOCAL_PREF", []*Received{route(two, "1:1", nil)},
			[]*Received{route(one, "1:1", func(a *Attributes) { a.LocalPref, a.LongLivedStale = 200, true })}},
		{"the path before the origin", []*Received{route(two, "1:1", func(a *Attributes) { a.Origin = Incomplete })},
			[]*Received{route(one, "1:1", path(1, 65001, 0))}},
		{"the origin before the MED", []*Received{route(two, "1:1", func(a *Attributes) { a.MED = 9 })},
			[]*Received{route(one, "1:1", func(a *Attributes) { a.Origin = EGP })}},
		{"the MED before eBGP", []*Received{route(two, "1:1", path(1, 65001, 1))}, []*Received{route(far, "1:1", path(1, 65001, 2))}},
		{"the MED of another AS says nothing", []*Received{route(one, "1:1", path(1, 65001, 9)), route(two, "1:1", path(1, 65002, 1))}, nil},
		{"the MED within one AS, beside another", []*Received{route(two, "1:1", path(1, 65001, 1)), route(three, "1:1", path(1, 65002, 9))},
			[]*Received{route(one, "1:1", path(1, 65001, 2))}},
		{"eBGP before the router id", []*Received{route(far, "1:1", nil)}, []*Received{route(one, "1:1", nil)}},
		{"the originator in place of the router id", []*Received{route(two, "1:1", func(a *Attributes) { a.Originator = netip.MustParseAddr("10.0.0.0") }),
			route(one, "1:1", nil)}, nil},
		{"the shorter CLUSTER_LIST", []*Received{
			route(two, "1:1", func(a *Attributes) { a.Originator = netip.MustParseAddr("10.0.0.7") }),
			route(one, "1:1", func(a *Attributes) { a.Originator, a.Clusters = netip.MustParseAddr("10.0.0.7"), 1 }),
		}, nil},
		{"backups in their order", []*Received{route(three, "1:1", func(a *Attributes) { a.LocalPref = 300 })}, []*Received{
			route(two, "1:1", func(a *Attributes) { a.LocalPref = 200 }),
			route(one, "1:1", path(1, 65001, 1)), route(two, "1:2", path(1, 65001, 2)),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := slices.Concat(tt.best, tt.backup)
			for range 20 { // whatever order they come in
				rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
				if p := Rank(list); !slices.Equal(p.Best, tt.best) || !slices.Equal(p.Backup, tt.backup) || p.Unusable != nil {
					t.Fatalf("got %s\nwant %s", pathsText(p), pathsText(Paths{Best: tt.best, Backup: tt.backup}))
				}
			}
		})
	}
}

func pathsText(p Paths) string {
	names := func(list []*Received) (texts []string) {
		for _, r := range list {
			texts = append(texts, r.Source.Neighbor+" "+r.Key.String())
		}
		return texts
	}
	return strings.Join(names(p.Best), ", ") + " | " + strings.Join(names(p.Backup), ", ") + " | " + strings.Join(names(p.Unusable), ", ")
}
