package inventory

import (
	"errors"
	"testing"
	"time"

	"github.com/buoynet/buoy/routetarget"
)

// TestStalePlans plans two commands on one state and commits both. The second
// one must conflict when it would be wrong after the first; planned again, it
// is refused, or does what is still right.
func TestStalePlans(t *testing.T) {
	updateWeb := UpdateNetwork{Name: public, Targets: &routetarget.Set{}}
	shrink := UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))}
	other := "projects/p/floatingIps/other"
	runStale(t, []stalePair{
		{"delete a network, allocate in it", nil,
			DeleteNetwork{private}, allocate(other, private, "2001:db8::1"), "network/" + private, ReasonNotFound},
		{"allocate in a network, delete it", nil,
			allocate(other, private, "2001:db8::1"), DeleteNetwork{private}, "addr/2/", ReasonInUse},
		{"shrink a network, allocate outside", nil,
			shrink, allocate(other, public, "203.0.113.99"), "network/" + public, ReasonOutsideSubnets},
		{"allocate outside, shrink the network", nil,
			allocate(other, public, "203.0.113.99"), shrink, "addr/1/", ReasonInUse},
		{"allocate inside, shrink the network", nil,
			allocate(other, public, "203.0.113.9"), shrink, "addr/1/", ""},
		{"release outside, shrink the network", nil,
			Release{mail}, shrink, "", ""},
		{"replace a network by its namesake, allocate in it", nil,
			replaceNetwork{}, allocate(other, private, "2001:db8::1"), "network/" + private, ReasonOutsideSubnets},
		{"change a network's targets, allocate in it", nil,
			updateWeb, allocate(other, public, "203.0.113.9"), "network/" + public, ""},
		{"two floating IPs with one address", nil,
			allocate(other, public, "203.0.113.9"), allocate("projects/p/floatingIps/x", public, "203.0.113.9"), "addr/1/203.0.113.9", ReasonAddressTaken},
		{"two floating IPs with one name", nil,
			allocate(other, public, "203.0.113.9"), allocate(other, public, "203.0.113.10"), "fip/" + other, ReasonExists},
		{"two allocations", nil,
			allocate(other, public, "203.0.113.9"), allocate("projects/p/floatingIps/x", public, "203.0.113.10"), "", ""},
		{"two networks: one id each", nil,
			network("projects/p/networks/a"), network("projects/p/networks/b"), "netid/3", ""},
		{"delete a compute node, associate with it", nil,
			DeleteComputeNode{cmp1}, associate(web, cmp1, "tap0", 100), "node/" + cmp1, ReasonNotFound},
		{"associate with a compute node, delete it", nil,
			associate(web, cmp1, "tap0", 100), DeleteComputeNode{cmp1}, "iface/cmp1/", ReasonInUse},
		{"the last user of a label leaves, another comes", []Command{associate(web, cmp1, "tap0", 100)},
			Disassociate{Name: web}, associate(mail, cmp1, "tap0", 100), "iface/cmp1/tap0", ""},
		{"change a compute node's address, associate with it", nil,
			UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.99"))}, associate(web, cmp1, "tap0", 100), "node/" + cmp1, ""},
		{"one interface, two labels", nil,
			associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap0", 101), "iface/cmp1/tap0", ReasonLabelDiffers},
		{"two interfaces, one label", nil,
			associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap1", 100), "label/cmp1/100", ReasonLabelTaken},
		{"one interface, one label", nil,
			associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap0", 100), "iface/cmp1/tap0", ""},
		{"two interfaces of two nodes, one label", nil,
			associate(web, cmp1, "tap0", 100), associate(mail, cmp2, "tap1", 100), "", ""},
		{"one floating IP, twice at one node", nil,
			associate(web, cmp1, "tap0", 100), associate(web, cmp1, "tap1", 101), "fip/" + web, ReasonAssociated},
		{"one floating IP at two nodes", nil,
			associate(web, cmp1, "tap0", 100), associate(web, cmp2, "tap0", 100), "fip/" + web, ""},
		{"the last two users of a label leave", []Command{associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap0", 100)},
			Disassociate{Name: web}, Disassociate{Name: mail}, "iface/cmp1/tap0", ""},
		{"release, associate", nil,
			Release{web}, associate(web, cmp1, "tap0", 100), "fip/" + web, ReasonNotFound},
		{"associate, release", nil,
			associate(web, cmp1, "tap0", 100), Release{web}, "fip/" + web, ReasonInUse},
		{"release twice", nil,
			Release{web}, Release{web}, "fip/" + web, ReasonNotFound},
		{"two compute nodes with one address", nil,
			node("computeNodes/a", "10.0.0.21"), UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.21"))}, "nodeaddr/10.0.0.21", ReasonAddressTaken},
		{"two compute nodes with one router id", nil,
			node("computeNodes/a", "10.0.0.21"), UpdateComputeNode{Name: cmp1, RouterID: ptr(addr("10.0.0.21"))}, "routerid/10.0.0.21", ReasonRouterIDTaken},
		{"two changes of a compute node", nil,
			UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.21"))}, UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.22"))}, "node/" + cmp1, ""},
		{"two neighbors with one address", nil,
			CreateNeighbor{settings("mx1", "10.0.0.1")}, CreateNeighbor{settings("mx2", "10.0.0.1")}, "neighboraddr/10.0.0.1", ReasonAddressTaken},
		{"two first starts with different ASes", []Command{forgetGlobal{}},
			SeedGlobal{64512}, SeedGlobal{64513}, "global", ReasonASDiffers},
	})
}

// stalePair is two commands that are planned on one state.
type stalePair struct {
	name          string
	before        []Command
	first, second Command
	conflict      string // empty: the second one is right all the same
	reason        string // of the second one, planned again; empty: carried out
}

func runStale(t *testing.T, pairs []stalePair) {
	for _, tt := range pairs {
		t.Run(tt.name, func(t *testing.T) {
			w := floating(t)
			for _, c := range tt.before {
				if _, ok := c.(wait); ok {
					w.later(time.Hour)
				}
				w.do(c)
			}
			planned, err := Plan(w.state, w.now, tt.second)
			if err != nil {
				t.Fatal(err)
			}
			w.do(tt.first)
			if tt.conflict != "" {
				if _, conflict := w.store.commit(planned); conflict != tt.conflict {
					t.Fatalf("conflict on %q, want %q", conflict, tt.conflict)
				}
				planned, err = Plan(w.state, w.now, tt.second)
				var refused *Error
				if errors.As(err, &refused) != (tt.reason != "") || refused != nil && refused.Reason != tt.reason {
					t.Fatalf("planned again: %v, want %q", err, tt.reason)
				}
			}
			w.commit(planned)
			if got, want := dump(w.state), dump(w.restarted()); got != want {
				t.Errorf("the state:\n got %s\nwant %s", got, want)
			}
		})
	}
}

// replaceNetwork deletes a network and creates its namesake, at once. The
// store cannot tell it from two commits.
type replaceNetwork struct{}

func (replaceNetwork) plan(s moment) ([]Mutation, error) {
	return []Mutation{
		put(networkPrefix+private, AnyVersion, Network{Name: private, ID: 3}),
		free(networkIDKey(2)), claim(networkIDKey(3), private),
	}, nil
}

// forgetGlobal makes the store one that was never started.
type forgetGlobal struct{}

func (forgetGlobal) plan(moment) ([]Mutation, error) { return []Mutation{free(globalKey)}, nil }
