package inventory

import "testing"

// TestExternalNetwork checks the pool that an external network makes.
func TestExternalNetwork(t *testing.T) {
	const made = public + "/pools/public"
	w := newWorld(t)
	w.planned("create", external(public, "203.0.113.0/24"),
		`put network/projects/p/networks/public@0 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"","export_targets":"","encapsulations":"","external":true}`,
		`put netid/1@0 projects/p/networks/public`,
		`put global@1 {"as":64512,"next_network_id":2}`,
		`put pool/projects/p/networks/public/pools/public@0 {"name":"projects/p/networks/public/pools/public","automatic":true}`)
	w.do(external(public, "203.0.113.0/24"))
	w.refused("its pool", DeletePool{made}, Error{FailedPrecondition, ReasonInUse, "name", public,
		made + " belongs to the external network " + public + "; it goes when the network is no longer external"})
	w.refused("another pool", pool(poolA, "203.0.113.5"), Error{AlreadyExists, ReasonPoolsOverlap, "ranges", made,
		poolA + " and " + made + " would overlap: both hold 203.0.113.5"})
	w.planned("it stays external", UpdateNetwork{Name: public, External: ptr(true)},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"","export_targets":"","encapsulations":"","external":true}`)
	w.planned("delete", DeleteNetwork{public},
		`delete network/projects/p/networks/public@2`,
		`delete netid/1@any`,
		`delete cursor/projects/p/networks/public@any`,
		`delete pool/projects/p/networks/public/pools/public@2`,
		`delete cursor/projects/p/networks/public/pools/public@any`,
		`none above addr/1/@2`,
		`none above pool/projects/p/networks/public/pools/@2`,
		`none above binding/@2`)

	// Its pool is one as others are.
	w.do(UpdatePool{Name: made, SharedWith: &[]string{"q"}}, BindPool{devBound, made}, Allocate{Name: "projects/q/floatingIps/web", Namespace: "dev"})
	users := made + " is in use by " + devBound + ", projects/q/floatingIps/web"
	w.refused("stop being external", UpdateNetwork{Name: public, External: ptr(false)},
		Error{FailedPrecondition, ReasonInUse, "name", devBound, users})
	w.refused("delete, in use and bound", DeleteNetwork{public},
		Error{FailedPrecondition, ReasonInUse, "name", "projects/q/floatingIps/web", public + " is in use by projects/q/floatingIps/web, " + devBound})
	w.do(Release{"projects/q/floatingIps/web"})
	w.refused("delete, bound", DeleteNetwork{public}, Error{FailedPrecondition, ReasonInUse, "name", devBound, public + " is in use by " + devBound})
	w.do(UnbindPool{devBound})
	w.planned("no longer external", UpdateNetwork{Name: public, External: ptr(false)},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"","export_targets":"","encapsulations":""}`,
		`delete pool/projects/p/networks/public/pools/public@3`,
		`delete cursor/projects/p/networks/public/pools/public@any`,
		`none above binding/@7`,
		`none above addr/1/@7`)
	w.do(UpdateNetwork{Name: public, External: ptr(false)})

	w.do(allocate(web, public, "203.0.113.5")) // outside the pool that comes
	w.planned("become external", UpdateNetwork{Name: public, External: ptr(true)},
		`put network/projects/p/networks/public@8 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"","export_targets":"","encapsulations":"","external":true}`,
		`put pool/projects/p/networks/public/pools/public@0 {"name":"projects/p/networks/public/pools/public","automatic":true}`,
		`none above pool/projects/p/networks/public/pools/@9`)
	w.do(pool(poolA, "203.0.113.128/25"))
	w.refused("another pool is there", UpdateNetwork{Name: public, External: ptr(true)}, Error{AlreadyExists, ReasonPoolsOverlap, "external", poolA,
		made + " and " + poolA + " would overlap: both hold 203.0.113.128/25"})
	w.do(DeletePool{poolA}, pool(made))
	w.refused("a pool of that name is there", UpdateNetwork{Name: public, External: ptr(true)}, Error{AlreadyExists, ReasonExists, "external", made,
		made + " exists; an external network makes a pool of this name"})
	w.do(DeletePool{made}, UpdateNetwork{Name: public, External: ptr(true)}, Release{web}, DeleteNetwork{public})
	if len(w.store.keys) != 1 {
		t.Errorf("left over: %v", w.store.keys)
	}
}

// TestExternalPoolName checks that the name is the configuration's, and that a
// pool that was made under another name is still found.
func TestExternalPoolName(t *testing.T) {
	w := newWorld(t)
	w.static.ExternalPool = "internet"
	w.restart()
	w.do(external(public, "203.0.113.0/24"), network(private), UpdateNetwork{Name: private, External: ptr(true)})
	for _, name := range []string{public, private} {
		if p, ok := w.state.Pool(name + "/pools/internet"); !ok || !p.Automatic {
			t.Errorf("%s: got %+v", name, p)
		}
	}
	w.static.ExternalPool = "public"
	w.restart()
	w.do(UpdateNetwork{Name: public, External: ptr(false)}, DeleteNetwork{private}, DeleteNetwork{public})
	if len(w.store.keys) != 1 {
		t.Errorf("left over: %v", w.store.keys)
	}
}

// TestExternalSubnets changes the subnets of an external network, whose pool
// was cut down to a range.
func TestExternalSubnets(t *testing.T) {
	const made = public + "/pools/public"
	w := newWorld(t)
	w.do(external(public, "203.0.113.0/24"), UpdatePool{Name: made, Ranges: ptr(ranges("203.0.113.128/25"))}, pool(poolA, "203.0.113.0/26"))
	w.refused("the ranges of pools", UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/27", "203.0.113.128/26"))},
		Error{FailedPrecondition, ReasonInUse, "subnets", poolA,
			"a range that would no longer be in the subnets of " + public + " is in use by " + poolA + " (203.0.113.32/27)"})
	w.refused("the range of its pool", UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/25"))},
		Error{FailedPrecondition, ReasonInUse, "subnets", made,
			"a range that would no longer be in the subnets of " + public + " is in use by " + made + " (203.0.113.128/25)"})
	w.do(UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/25")), External: ptr(false)}) // the pool goes with them
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}
