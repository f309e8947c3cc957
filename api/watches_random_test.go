package api

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// mess does random things over small name spaces, so that names come again. What is
// refused is refused.
func (l *lab) mess(t testing.TB, r *rand.Rand) {
	project := func() string { return []string{"dev", "ops"}[r.IntN(2)] }
	network := func() string { return fmt.Sprintf("projects/%s/networks/n%d", project(), r.IntN(2)) }
	pool := func() string { return fmt.Sprintf("%s/pools/p%d", network(), r.IntN(2)) }
	fip := func() string { return fmt.Sprintf("projects/%s/floatingIps/f%d", project(), r.IntN(8)) }
	node := func() string { return fmt.Sprint("computeNodes/c", r.IntN(2)) }
	binding := func() string { return fmt.Sprintf("namespaces/b%d/poolBinding", r.IntN(2)) }
	shared := func() []string { return [][]string{nil, {"dev"}, {"ops"}, {"*"}}[r.IntN(4)] }
	ranges := func() []string { return []string{fmt.Sprintf("203.0.113.%d/28", 16*r.IntN(3))} }
	in := func() (network, pool string) {
		if r.IntN(2) == 0 {
			return fmt.Sprintf("projects/%s/networks/n%d", project(), r.IntN(2)), ""
		}
		return "", fmt.Sprintf("projects/%s/networks/n%d/pools/p%d", project(), r.IntN(2), r.IntN(2))
	}
	source, from := in()
	name := fip()
	for _, do := range []func() error{
		func() error {
			return attempt(l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network(), Subnets: []string{"203.0.113.0/24"}}})(t.Context())
		},
		func() error {
			return attempt(l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: network(), Gateways: []string{fmt.Sprint("203.0.113.", r.IntN(64))}}, UpdateMask: maskOf("gateways")})(t.Context())
		},
		func() error {
			return attempt(l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: network()})(t.Context())
		},
		func() error {
			return attempt(l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: pool(), Ranges: ranges(), SharedWith: shared()}})(t.Context())
		},
		func() error {
			return attempt(l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: pool(), SharedWith: shared()}, UpdateMask: maskOf("shared_with")})(t.Context())
		},
		func() error {
			return attempt(l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: pool(), Ranges: ranges()}, UpdateMask: maskOf("ranges")})(t.Context())
		},
		func() error {
			return attempt(l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: pool()})(t.Context())
		},
		func() error {
			return attempt(l.pools.BindPool, &buoyv1.BindPoolRequest{Name: binding(), Pool: pool()})(t.Context())
		},
		func() error {
			return attempt(l.pools.UnbindPool, &buoyv1.UnbindPoolRequest{Name: binding()})(t.Context())
		},
		func() error {
			n := strings.TrimPrefix(node(), "computeNodes/c")
			return attempt(l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: "computeNodes/c" + n, Address: "10.0.0.1" + n}})(t.Context())
		},
		func() error {
			return attempt(l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: node(), Wait: uint32(r.IntN(2) * 60)})(t.Context())
		},
		func() error {
			return attempt(l.computeNodes.UndrainComputeNode, &buoyv1.UndrainComputeNodeRequest{Name: node()})(t.Context())
		},
		func() error {
			return attempt(l.computeNodes.DeleteComputeNode, &buoyv1.DeleteComputeNodeRequest{Name: node()})(t.Context())
		},
		func() error {
			return attempt(l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: "neighbors/x", Address: "10.0.0.1", As: 1 + uint32(r.IntN(5))}})(t.Context())
		},
		func() error {
			return attempt(l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: "neighbors/x"})(t.Context())
		},
		func() error {
			return attempt(l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 64512 + uint32(r.IntN(2))}, UpdateMask: maskOf("as")})(t.Context())
		},
		func() error {
			return attempt(l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Network: source, Pool: from})(t.Context())
		},
		func() error {
			return attempt(l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Network: source, Pool: from})(t.Context())
		},
		func() error {
			return attempt(l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name, Association: &buoyv1.Association{ComputeNode: node(), Interface: "tap" + strconv.Itoa(r.IntN(9)), FixedIp: "10.47.0.1"}})(t.Context())
		},
		func() error {
			return attempt(l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name})(t.Context())
		},
		func() error {
			return attempt(l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: name})(t.Context())
		},
	} {
		if r.IntN(4) == 0 {
			_ = do()
		}
	}
}

// Whoever follows, with whatever interruptions, has what the lists show at each
// bookmark behind the last change: the operator, and projects that see a part.
func TestWatchesRandom(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			l, r := newLab(t), rand.New(rand.NewPCG(seed, 1))
			var mirrors []*mirror
			for _, project := range []string{"", "", "dev", "ops", "ci"} {
				mirrors = append(mirrors, l.mirror(t, project, &buoyv1.WatchRequest{}))
			}
			for round := range 60 {
				l.mess(t, r)
				// What everybody sees makes everybody get a bookmark.
				call(t, l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 65000 + uint32(round)}, UpdateMask: maskOf("as")})
				lists := map[string]map[string]proto.Message{}
				for _, m := range mirrors {
					switch r.IntN(4) {
					case 0: // it stays away for a while
						m.disconnect()
						continue
					case 1: // what was sent behind the last bookmark is sent again
						m.connect()
					default:
						if m.stream.Context().Err() != nil {
							m.connect()
						}
					}
					want, ok := lists[m.project]
					if !ok {
						want = l.lists(t, m.project)
						lists[m.project] = want
					}
					m.until(fmt.Sprintf("%q has what the lists show", m.project), func() bool { return m.at(l) })
					if d := differences(m.resources, want); d != "" {
						t.Fatalf("%q at %s:\n%s", m.project, m.token, d)
					}
				}
			}
		})
	}
}

// at reports whether the last bookmark is behind the last change.
func (m *mirror) at(l *lab) bool {
	revision, _, _ := strings.Cut(m.token, "-")
	return revision == strconv.FormatUint(l.follower.State().Revision(), 10)
}
