package inventory

import "testing"

// TestStalePoolPlans is TestStalePlans for pools, bindings and next-free
// addresses.
func TestStalePoolPlans(t *testing.T) {
	a, b := pool(poolA, "203.0.113.16/28"), pool(poolB, "203.0.113.32/28")
	drawn := func(id, address string) Allocate { return Allocate{Name: fip(id), Pool: poolA, Address: addr(address)} }
	shrunk := UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.16/29"))}
	unshared := UpdatePool{Name: poolA, SharedWith: &[]string{}}
	shared := CreatePool{Pool{Name: poolA, Ranges: a.Pool.Ranges, SharedWith: []string{"q"}}}
	become, stop := UpdateNetwork{Name: public, External: ptr(true)}, UpdateNetwork{Name: public, External: ptr(false)}
	keep := UpdateNetwork{Name: public, Gateways: ptr(addrs("203.0.113.20"))}
	const pools, made = "pool/" + public + "/pools/", public + "/pools/public"
	runStale(t, []stalePair{
		{"two overlapping pools", nil, a, pool(poolB, "203.0.113.24/30"), pools, ReasonPoolsOverlap},
		{"two pools", nil, a, b, pools, ""},
		{"two pools with one name", nil, a, a, "pool/" + poolA, ReasonExists},
		{"a pool grows, another comes", []Command{a}, UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.0/26"))}, b, pools, ReasonPoolsOverlap},
		{"a pool comes, another grows", []Command{a}, b, UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.0/26"))}, pools, ReasonPoolsOverlap},
		{"two pools grow", []Command{a, b}, UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.16/28", "203.0.113.48"))},
			UpdatePool{Name: poolB, Ranges: ptr(ranges("203.0.113.32/28", "203.0.113.48"))}, pools, ReasonPoolsOverlap},
		{"shrink a pool, draw outside", []Command{a}, shrunk, drawn("x", "203.0.113.30"), "pool/" + poolA, ReasonOutsidePool},
		{"draw outside, shrink the pool", []Command{a}, drawn("x", "203.0.113.30"), shrunk, "addr/1/", ReasonInUse},
		{"draw inside, shrink the pool", []Command{a}, drawn("x", "203.0.113.17"), shrunk, "addr/1/", ""},
		{"delete a pool, draw from it", []Command{a}, DeletePool{poolA}, drawn("x", "203.0.113.30"), "pool/" + poolA, ReasonNotFound},
		{"draw from a pool, delete it", []Command{a}, drawn("x", "203.0.113.30"), DeletePool{poolA}, "addr/1/", ReasonInUse},
		{"delete a pool, bind it", []Command{a}, DeletePool{poolA}, BindPool{devBound, poolA}, "pool/" + poolA, ReasonNotFound},
		{"bind a pool, delete it", []Command{a}, BindPool{devBound, poolA}, DeletePool{poolA}, "binding/", ReasonInUse},
		{"unbind a pool, bind it", []Command{a, BindPool{devBound, poolA}}, UnbindPool{devBound}, BindPool{devBound, poolA}, "binding/" + devBound, ""},
		{"two bindings of a namespace", []Command{a, b}, BindPool{devBound, poolA}, BindPool{devBound, poolB}, "binding/" + devBound, ""},
		{"unbind twice", []Command{a, BindPool{devBound, poolA}}, UnbindPool{devBound}, UnbindPool{devBound}, "binding/" + devBound, ReasonNotFound},
		{"unshare a pool, draw from it", []Command{shared}, unshared, Allocate{Name: "projects/q/floatingIps/x", Pool: poolA}, "pool/" + poolA, ReasonNotShared},
		{"bind another pool, draw from the first", []Command{a, b, BindPool{devBound, poolA}}, BindPool{devBound, poolB}, Allocate{Name: fip("x"), Namespace: "dev"}, "binding/" + devBound, ""},
		{"bind the namespace, draw from the cluster's", []Command{a, b, BindPool{GlobalBindingName, poolA}}, BindPool{devBound, poolB}, Allocate{Name: fip("x"), Namespace: "dev"}, "binding/" + devBound, ""},
		{"unbind, draw from it", []Command{a, BindPool{devBound, poolA}}, UnbindPool{devBound}, Allocate{Name: fip("x"), Namespace: "dev"}, "binding/" + devBound, ReasonNoPool},
		{"unbind the cluster, draw from it", []Command{a, BindPool{GlobalBindingName, poolA}}, UnbindPool{GlobalBindingName}, Allocate{Name: fip("x")}, "binding/" + GlobalBindingName, ReasonNoPool},
		{"two next free addresses", nil, Allocate{Name: fip("x"), Network: public}, Allocate{Name: fip("y"), Network: public}, "addr/1/203.0.113.1", ""},
		{"the last free address, twice", []Command{pool(poolA, "203.0.113.16")}, Allocate{Name: fip("x"), Pool: poolA}, Allocate{Name: fip("y"), Pool: poolA}, "addr/1/203.0.113.16", ReasonPoolExhausted},
		{"the next free address, and the one behind it", nil, Allocate{Name: fip("x"), Network: public}, allocate(fip("y"), public, "203.0.113.2"), "", ""},
		{"a pool comes, an address in it is taken outside of the pools", nil, a, allocate(fip("x"), public, "203.0.113.20"), pools, ReasonInPool},
		{"an address is taken outside of the pools, a pool comes", nil, allocate(fip("x"), public, "203.0.113.20"), a, "", ""},
		{"a pool comes where an address is released", []Command{allocate(fip("x"), public, "203.0.113.16")}, a, Release{fip("x")}, "", ""},
		{"the pool goes into which an address is released", []Command{allocate(fip("x"), public, "203.0.113.16"), a}, DeletePool{poolA}, Release{fip("x")}, "pool/" + poolA, ""},
		{"delete a network, create a pool", nil, DeleteNetwork{private}, pool(private + "/pools/a"), "network/" + private, ReasonNotFound},
		{"create a pool, delete the network", nil, pool(private + "/pools/a"), DeleteNetwork{private}, "pool/" + private + "/pools/", ReasonInUse},
		{"change a pool, delete the network", []Command{external("projects/p/networks/x")}, UpdatePool{Name: "projects/p/networks/x/pools/public", SharedWith: &[]string{"q"}}, DeleteNetwork{"projects/p/networks/x"}, "pool/projects/p/networks/x/pools/public", ""},
		{"bind an external network's pool, delete the network", []Command{external("projects/p/networks/x")}, BindPool{devBound, "projects/p/networks/x/pools/public"}, DeleteNetwork{"projects/p/networks/x"}, "binding/", ReasonInUse},
		{"shrink a network, create a pool", nil, UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))}, a, "network/" + public, ReasonOutsideNetwork},
		{"create a pool, shrink the network", nil, a, UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))}, pools, ReasonInUse},
		{"a pool grows, the network shrinks", []Command{pool(poolA, "203.0.113.8/30")}, UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.16/28"))},
			UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))}, pools, ReasonInUse},
		{"the network shrinks, a pool grows", []Command{pool(poolA, "203.0.113.8/30")}, UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))},
			UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.16/28"))}, "network/" + public, ReasonOutsideNetwork},
		{"become external, create a pool", nil, become, a, "network/" + public, ReasonPoolsOverlap},
		{"create a pool, become external", nil, a, become, pools, ReasonPoolsOverlap},
		{"create its pool, become external", nil, pool(made), become, "pool/" + made, ReasonExists},
		{"become external twice", nil, become, become, "network/" + public, ""},
		{"stop being external, draw from its pool", []Command{become}, stop, Allocate{Name: fip("x"), Pool: made}, "network/" + public, ReasonNotFound},
		{"draw from its pool, stop being external", []Command{become}, Allocate{Name: fip("x"), Pool: made}, stop, "addr/1/", ReasonInUse},
		{"bind its pool, stop being external", []Command{become}, BindPool{devBound, made}, stop, "binding/", ReasonInUse},
		{"reserve an address, take it", nil, keep, allocate(fip("x"), public, "203.0.113.20"), "network/" + public, ReasonReserved},
		{"take an address, reserve it", nil, allocate(fip("x"), public, "203.0.113.20"), keep, "addr/1/", ReasonInUse},
	})
}

// TestStaleLabelPlans is TestStalePlans for labels, and for the AS.
func TestStaleLabelPlans(t *testing.T) {
	const label = "label/cmp1/100000"
	colliding := CreateNetwork{Network{Name: "projects/p/networks/x", Targets: targets("65000:8000001")}}
	collide := UpdateNetwork{Name: public, ImportTargets: ptr(targets("65000:8000001"))}
	hold := UpdateComputeNode{Name: cmp1, LabelHoldDown: ptr(uint32(1))}
	widen := UpdateComputeNode{Name: cmp1, Labels: &LabelRange{16, 999_999}}
	move := Move{Name: web, Association: associate(web, cmp2, "tap0", 0).Association}
	runStale(t, []stalePair{
		{"two labels", nil, associate(web, cmp1, "tap0", 0), associate(mail, cmp1, "tap1", 0), label, ""},
		{"two labels of two nodes", nil, associate(web, cmp1, "tap0", 0), associate(mail, cmp2, "tap1", 0), "", ""},
		{"an allocated and a given one", nil, associate(web, cmp1, "tap0", 0), associate(mail, cmp1, "tap1", 100_000), label, ReasonLabelTaken},
		{"a label goes to rest, another interface wants it", []Command{associate(web, cmp1, "tap0", 100_000)},
			Disassociate{Name: web}, associate(mail, cmp1, "tap1", 0), "", ""},
		{"a label comes and goes, another interface wants it", nil,
			comeAndGo{}, associate(mail, cmp1, "tap1", 100_000), "resting/cmp1/100000", ReasonLabelResting},
		{"a label comes and goes, another interface wants any", nil,
			comeAndGo{}, associate(mail, cmp1, "tap1", 0), "resting/cmp1/100000", ""},
		{"one rested label for two interfaces", []Command{associate(web, cmp1, "tap9", 100_000), Disassociate{Name: web}, hold, wait{}},
			associate(web, cmp1, "tap0", 100_000), associate(mail, cmp1, "tap1", 100_000), label, ReasonLabelTaken},
		{"its resting label for an interface, twice", []Command{associate(web, cmp1, "tap0", 0), Disassociate{Name: web}},
			associate(web, cmp1, "tap0", 0), associate(mail, cmp1, "tap0", 0), "iface/cmp1/tap0", ""},
		{"two changes wake one label", []Command{associate(web, cmp1, "tap9", 0), Disassociate{Name: web}, hold, wait{}},
			associate(web, cmp1, "tap0", 500), associate(mail, cmp1, "tap1", 501), "resting/cmp1/100000", ""},
		{"the range changes, a label is released", []Command{associate(web, cmp1, "tap0", 100)}, widen, Disassociate{Name: web}, "node/computeNodes/cmp1", ""},
		{"a label goes to rest, the node is deleted", []Command{associate(web, cmp1, "tap0", 0)}, Disassociate{Name: web}, DeleteComputeNode{cmp2}, "", ""},
		{"a label comes and goes, the node is deleted", nil, comeAndGo{}, DeleteComputeNode{cmp1}, "resting/cmp1/", ""},
		{"move, disassociate", []Command{associate(web, cmp1, "tap0", 0)}, move, Disassociate{Name: web}, "fip/" + web, ""},
		{"disassociate, move", []Command{associate(web, cmp1, "tap0", 0)}, Disassociate{Name: web}, move, "fip/" + web, ReasonNotAssociated},
		{"delete a node, move to it", []Command{associate(web, cmp1, "tap0", 0)}, DeleteComputeNode{cmp2}, move, "node/computeNodes/cmp2", ReasonNotFound},
		{"move to a node, delete it", []Command{associate(web, cmp1, "tap0", 0)}, move, DeleteComputeNode{cmp2}, "iface/cmp2/", ReasonInUse},
		{"change traffic, associate", nil, UpdateFloatingIP{Name: web, Direction: ptr(Egress)}, associate(web, cmp1, "tap0", 0), "fip/" + web, ""},
		{"another AS, a network with a colliding target", nil, SetGlobal{65000}, colliding, "global", ReasonAutomatic},
		{"a network with a colliding target, another AS", nil, colliding, SetGlobal{65000}, "global", ReasonTargetCollides},
		{"another AS, a network gets a colliding target", nil, SetGlobal{65000}, collide, "global", ReasonAutomatic},
		{"a network gets a colliding target, another AS", nil, collide, SetGlobal{65000}, "network/", ReasonTargetCollides},
		{"another AS, twice", nil, SetGlobal{65000}, SetGlobal{65001}, "global", ""},
		{"another AS, a change without targets", nil, SetGlobal{65000}, UpdateNetwork{Name: public, External: ptr(true)}, "", ""},
	})
}

// comeAndGo is two commits that another interface's plan does not see.
type comeAndGo struct{}

func (comeAndGo) plan(s moment) ([]Mutation, error) {
	d := NewDraft(s.State, s.now)
	if err := d.Do(associate(web, cmp1, "tap0", 100_000)); err != nil {
		return nil, err
	}
	if err := d.Do(Disassociate{Name: web}); err != nil {
		return nil, err
	}
	return d.Mutations(), nil
}

// wait is no command: runStale lets time go by.
type wait struct{}

func (wait) plan(moment) ([]Mutation, error) { return nil, nil }
