package inventory

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

func configure(list ...Wanted) Configure { return Configure{List: "documents", Wanted: list} }

// someNetwork, someNode and someFIP are wanted in most tests.
func someNetwork(id uint16) PutNetwork {
	return PutNetwork{Network: Network{Name: public, ID: id, Subnets: prefixes("203.0.113.0/24"), Targets: targets("64512:1")}, AnyID: true}
}

func someNode(name, address string) PutComputeNode {
	return PutComputeNode{ComputeNode: ComputeNode{Name: name, Address: addr(address), Liveness: DefaultLiveness}}
}

func someFIP(associations ...Association) PutFloatingIP {
	return PutFloatingIP{FloatingIP: FloatingIP{Name: web, Network: public, Address: addr("203.0.113.5"), Associations: associations}}
}

func at(node, iface string, label vrf.Label) Association {
	return Association{ComputeNode: node, Interface: iface, FixedIP: addr("10.47.0.1"), Label: label}
}

// TestConfigureOrder: the order of the list does not matter.
func TestConfigureOrder(t *testing.T) {
	list := []Wanted{
		PutGlobal{64513}, someNetwork(7), PutPool{Pool{Name: poolA, Ranges: ranges("203.0.113.10-203.0.113.19")}},
		PutBinding{devBound, poolA}, someNode(cmp1, "10.0.0.11"), PutNeighbor{settings("mx1", "10.0.0.1")},
		someFIP(at(cmp1, "tap0", 100)),
		PutFloatingIP{FloatingIP: FloatingIP{Name: mail, Namespace: "dev", Associations: []Association{at(cmp1, "tap1", 0)}}},
	}
	w := newWorld(t)
	w.do(configure(list...))
	want := dump(w.state)
	f, _ := w.state.FloatingIP(mail)
	if f == nil || f.Pool != poolA || f.Address != addr("203.0.113.10") || f.Scope != ScopeNamespace || f.Associations[0].Label != 100_000 {
		t.Errorf("got %+v", f)
	}
	if n, _ := w.state.NetworkByID(7); n == nil || w.state.global.NextNetworkID != 8 {
		t.Errorf("network 7 is %+v, the next one %d", n, w.state.global.NextNetworkID)
	}
	for range 20 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		w := newWorld(t)
		w.do(configure(list...))
		if got := dump(w.state); got != want {
			t.Fatalf("%v\n got %s\nwant %s", list, got, want)
		}
		w.planned("again", configure(list...))
	}
}

// TestConfigureUpdates changes a field of each kind.
func TestConfigureUpdates(t *testing.T) {
	w := newWorld(t)
	w.do(configure(someNetwork(0), PutPool{Pool{Name: poolA, Ranges: ranges("203.0.113.10-203.0.113.19")}}, PutPool{Pool{Name: poolB, Ranges: ranges("203.0.113.20-203.0.113.29")}},
		PutBinding{devBound, poolA}, someNode(cmp1, "10.0.0.11"), someNode(cmp2, "10.0.0.12"), PutNeighbor{settings("mx1", "10.0.0.1")}, someFIP(at(cmp1, "tap0", 100))))
	n, mx := someNetwork(0), settings("mx1", "10.0.0.1")
	n.Network.Targets = targets("64512:2")
	mx.MaxReceived, mx.HoldTime = 5, neighbor.DefaultHoldTime
	moved := someFIP(at(cmp2, "tap0", 100))
	moved.FloatingIP.Direction = Egress
	// The pools exchange a range and the nodes hand an address on, against the
	// order of the list.
	var done Outcome
	c := configure(n, PutPool{Pool{Name: poolA, Ranges: ranges("203.0.113.10-203.0.113.24")}}, PutPool{Pool{Name: poolB, Ranges: ranges("203.0.113.25-203.0.113.29")}},
		PutBinding{devBound, poolB}, someNode(cmp2, "10.0.0.11"), someNode(cmp1, "10.0.0.13"), PutNeighbor{mx}, moved)
	c.Outcome = &done
	w.do(c)
	f, _ := w.state.FloatingIP(web)
	want := []Association{at(cmp2, "tap0", 100)}
	if !slices.Equal(f.Associations, want) || f.Direction != Egress {
		t.Errorf("got %+v", f)
	}
	if _, used := w.state.labelOwner(cmp1, 100); used {
		t.Error("the label is still taken")
	}
	if b, _ := w.state.Binding(devBound); b.Pool != poolB {
		t.Errorf("got %+v", b)
	}
	changes := RouteChanges(done.Before, done.After, []string{web, public, cmp1, cmp2}, func(*FloatingIP) bool { return true })
	if len(changes) != 1 || changes[0].Before.NextHop != addr("10.0.0.11") || changes[0].Before.Targets == changes[0].After.Targets {
		t.Errorf("routes: got %+v", changes)
	}
	w.planned("again", c)
}

func TestConfigureAssociations(t *testing.T) {
	both := []Association{at(cmp1, "tap0", 100), at(cmp2, "tap1", 0)}
	preferred := at(cmp1, "tap0", 0)
	preferred.Preferred = true
	for _, tt := range []struct {
		name         string
		wanted, want []Association
	}{
		{"none", nil, nil},
		{"another label", []Association{at(cmp1, "tap0", 101)}, []Association{at(cmp1, "tap0", 101)}},
		{"another interface", []Association{at(cmp1, "tap9", 0)}, []Association{at(cmp1, "tap9", 100_000)}},
		{"the label of the other interface", []Association{at(cmp1, "tap9", 100)}, []Association{at(cmp1, "tap9", 100)}},
		{"only an attribute", []Association{preferred}, []Association{{cmp1, "tap0", addr("10.47.0.1"), 100, true}}},
		{"another order", []Association{both[1], both[0]}, []Association{at(cmp1, "tap0", 100), at(cmp2, "tap1", 100_000)}},
		{"another node", []Association{at(cmp2, "tap1", 0), at("computeNodes/cmp3", "tap0", 0)},
			[]Association{at(cmp2, "tap1", 100_000), at("computeNodes/cmp3", "tap0", 100_000)}},
	} {
		w := newWorld(t)
		w.do(configure(someNetwork(0), someNode(cmp1, "10.0.0.11"), someNode(cmp2, "10.0.0.12"), someNode("computeNodes/cmp3", "10.0.0.13"), someFIP(both...)))
		w.do(configure(someFIP(tt.wanted...)))
		if f, _ := w.state.FloatingIP(web); !slices.Equal(f.Associations, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, f.Associations, tt.want)
		}
		w.planned(tt.name+", again", configure(someFIP(tt.wanted...)))
		if got, want := dump(w.state), dump(w.restarted()); got != want {
			t.Errorf("%s: the state:\n got %s\nwant %s", tt.name, got, want)
		}
	}
}

func TestConfigureRefusals(t *testing.T) {
	w := newWorld(t, &Neighbor{Settings: settings("mx0", "10.0.0.9")})
	w.do(configure(someNetwork(7), someNode(cmp1, "10.0.0.11"), someFIP(at(cmp1, "tap0", 100))))
	before := dump(w.state)
	other := someFIP()
	other.FloatingIP.Address = addr("203.0.113.6")
	pooled := someFIP()
	pooled.FloatingIP.Pool = poolA
	scoped, global := someFIP(), ScopeGlobal
	scoped.Scope = &global
	renamed := someFIP()
	renamed.FloatingIP.Namespace = "dev"
	elsewhere := someFIP()
	elsewhere.FloatingIP.Network = private
	back := PutFloatingIP{FloatingIP: FloatingIP{Name: mail, Pool: poolA, Address: addr("203.0.113.9")}, Scope: new(Scope)}
	mx0 := settings("mx0", "10.0.0.9")
	mx0.MaxReceived = 1
	const keeps, instead = web + " has ", ", and keeps it; release it first, or describe a floating IP of another name"
	for _, tt := range []struct {
		name string
		put  Wanted
		want Error
	}{
		{"id", someNetwork(8), Error{FailedPrecondition, ReasonImmutable, "id", public, public + " has 7, and keeps it; leave the id out, or describe a network of another name"}},
		{"id taken", PutNetwork{Network{Name: private, ID: 7}, true}, Error{AlreadyExists, ReasonIDTaken, "id", public, "7 is the id of " + public + "; leave it out to get a free one"}},
		{"id too high", PutNetwork{Network{Name: private, ID: 57536}, true}, Error{InvalidArgument, ReasonInvalid, "id", "", "expected 1..57535, got 57536"}},
		{"id of a project", PutNetwork{Network{Name: private, ID: 9}, false}, Error{PermissionDenied, ReasonOperatorsOnly, "id", "", "only the operator may choose the id of a network; leave it out"}},
		{"address", other, Error{FailedPrecondition, ReasonImmutable, "address", web, keeps + "203.0.113.5" + instead}},
		{"pool", pooled, Error{FailedPrecondition, ReasonImmutable, "pool", web, keeps + "an address outside the pools" + instead}},
		{"network", elsewhere, Error{FailedPrecondition, ReasonImmutable, "network", web, keeps + public + instead}},
		{"namespace", renamed, Error{FailedPrecondition, ReasonImmutable, "namespace", web, keeps + `namespace ""` + instead}},
		{"scope", scoped, Error{FailedPrecondition, ReasonImmutable, "scope", web, keeps + "scope network, and keeps it; leave the scope out"}},
		{"scope of no network", back, Error{InvalidArgument, ReasonInvalid, "scope", "", "network goes with a network, and with no pool"}},
		{"pool of another network", PutFloatingIP{FloatingIP: FloatingIP{Name: mail, Pool: poolA, Network: private}},
			Error{InvalidArgument, ReasonInvalid, "network", "", "expected that of the pool " + poolA + ", got " + private}},
		{"neighbor of the file", PutNeighbor{mx0}, Error{FailedPrecondition, ReasonReadOnly, "name", "neighbors/mx0", "neighbors/mx0 is defined in the configuration file; change it there and restart the daemon"}},
		{"association", someFIP(at(cmp1, "tap0", 100), at(cmp2, "tap0", 0)), Error{NotFound, ReasonNotFound, "associations[1].compute_node", cmp2, cmp2 + " does not exist"}},
		{"label", someFIP(at(cmp1, "tap0", 5)), Error{InvalidArgument, ReasonInvalid, "associations[0].label", "", "expected a label 16..1048575, got 5"}},
		{"two at one node", someFIP(at(cmp1, "tap0", 100), at(cmp1, "tap1", 0)), Error{AlreadyExists, ReasonAssociated, "associations[1].compute_node", web,
			web + " is associated with computeNodes/cmp1 already, interface tap0; disassociate it, or move it"}},
		{"twice", someNode(cmp1, "10.0.0.99"), Error{InvalidArgument, ReasonInvalid, "name", "", cmp1 + " is described twice"}},
	} {
		c := configure(PutNetwork{Network: Network{Name: "projects/p/networks/new"}}, someNode(cmp1, "10.0.0.12"), tt.put)
		var item *ItemError
		if _, err := Plan(w.state, w.now, c); !errors.As(err, &item) || item.Item != 2 || item.List != "documents" {
			t.Errorf("%s: got %v", tt.name, err)
			continue
		}
		w.refused(tt.name, c, tt.want)
		if got := dump(w.state); got != before {
			t.Errorf("%s: the state has changed: %s", tt.name, got)
		}
	}
	w.planned("a neighbor of the file as it is", configure(PutNeighbor{settings("mx0", "10.0.0.9")}))
}

// TestNetworkID: an id that was chosen does not lead the search back.
func TestNetworkID(t *testing.T) {
	for _, tt := range []struct{ next, id, want uint16 }{{5, 0, 6}, {5, 5, 6}, {5, 9, 10}, {5, 4, 5}, {5, 57535, 5}, {57535, 57535, 57535}} {
		w := newWorld(t)
		w.commit([]Mutation{put(globalKey, AnyVersion, Global{AS: 64512, NextNetworkID: tt.next})})
		w.do(CreateNetwork{Network{Name: public, ID: tt.id}})
		if got := w.state.global.NextNetworkID; got != tt.want {
			t.Errorf("%d after %d: the next one is %d, want %d", tt.id, tt.next, got, tt.want)
		}
	}
}

// TestConfigureComesBack: what was allocated stays, and so it comes back, though
// it could not be allocated now.
func TestConfigureComesBack(t *testing.T) {
	const guest = "projects/q/floatingIps/guest"
	shared, request, outside := Pool{Name: poolA, Ranges: ranges("203.0.113.0/25"), SharedWith: []string{"q"}}, ScopeRequest, ScopeNetwork
	w := newWorld(t)
	w.do(configure(someNetwork(0), PutPool{shared}, PutFloatingIP{FloatingIP: FloatingIP{Name: guest, Pool: poolA}},
		PutFloatingIP{FloatingIP: FloatingIP{Name: web, Network: public, Address: addr("203.0.113.200")}}))
	shared.SharedWith = nil
	w.do(configure(PutPool{shared}, PutPool{Pool{Name: poolB, Ranges: ranges("203.0.113.128/25")}}))

	anew := newWorld(t)
	anew.do(configure(someNetwork(0), PutPool{shared}, PutPool{Pool{Name: poolB, Ranges: ranges("203.0.113.128/25")}}))
	unshared := PutFloatingIP{FloatingIP: FloatingIP{Name: guest, Pool: poolA, Network: public, Address: addr("203.0.113.1")}, Scope: &request}
	anew.refused("no longer shared", configure(unshared),
		Error{PermissionDenied, ReasonNotShared, "pool", "", poolA + " is not shared with project q, or does not exist"})
	around := PutFloatingIP{FloatingIP: FloatingIP{Name: web, Network: public, Address: addr("203.0.113.200")}}
	anew.refused("in a pool", configure(around),
		Error{InvalidArgument, ReasonInPool, "address", "", "203.0.113.200 belongs to " + poolB + "; name that pool"})
	unshared.AnyPool, around.Scope = true, &outside
	anew.do(configure(unshared, around))
	if got, want := content(anew.state), content(w.state); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
