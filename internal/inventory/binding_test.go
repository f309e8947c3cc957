package inventory

import "testing"

func TestBindPool(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/28"), pool(poolB, "203.0.113.16/28"))
	w.planned("a namespace", BindPool{devBound, poolA},
		`put binding/namespaces/dev/poolBinding@0 {"name":"namespaces/dev/poolBinding","pool":"projects/p/networks/public/pools/a"}`,
		`check pool/projects/p/networks/public/pools/a@3`)
	w.planned("the cluster", BindPool{GlobalBindingName, poolB},
		`put binding/global/poolBinding@0 {"name":"global/poolBinding","pool":"projects/p/networks/public/pools/b"}`,
		`check pool/projects/p/networks/public/pools/b@4`)
	w.do(BindPool{devBound, poolA}, BindPool{GlobalBindingName, poolB})
	w.planned("another pool", BindPool{devBound, poolB},
		`put binding/namespaces/dev/poolBinding@5 {"name":"namespaces/dev/poolBinding","pool":"projects/p/networks/public/pools/b"}`,
		`check pool/projects/p/networks/public/pools/b@4`)
	w.planned("unbind", UnbindPool{devBound}, `delete binding/namespaces/dev/poolBinding@5`)
	if b, ok := w.state.Binding(devBound); !ok || b.Pool != poolA || b.ReadOnly || b.Version != 5 {
		t.Errorf("got %+v", b)
	}
	unknown := public + "/pools/none"
	for _, tt := range []struct {
		name    string
		command Command
		want    Error
	}{
		{"binding's name", BindPool{"dev", poolA},
			Error{InvalidArgument, ReasonInvalid, "name", "", `expected namespaces/NAMESPACE/poolBinding or global/poolBinding, got "dev"`}},
		{"namespace's name", BindPool{"namespaces/Dev/poolBinding", poolA},
			Error{InvalidArgument, ReasonInvalid, "name", "", `expected lower-case letters, digits and inside the name '-', '_', '.'; got "Dev"`}},
		{"pool's name", BindPool{devBound, "a"},
			Error{InvalidArgument, ReasonInvalid, "pool", "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "a"`}},
		{"no pool", BindPool{devBound, unknown}, Error{NotFound, ReasonNotFound, "pool", unknown, unknown + " does not exist"}},
		{"unbind: name", UnbindPool{"dev"},
			Error{InvalidArgument, ReasonInvalid, "name", "", `expected namespaces/NAMESPACE/poolBinding or global/poolBinding, got "dev"`}},
		{"unbind: not bound", UnbindPool{"namespaces/prod/poolBinding"},
			Error{NotFound, ReasonNotFound, "name", "namespaces/prod/poolBinding", "namespaces/prod/poolBinding does not exist"}},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
}

// TestBindingOfFile checks that the file's global binding wins over the
// store's, cannot be changed, and gives way when it goes from the file.
func TestBindingOfFile(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/28"), pool(poolB, "203.0.113.16/28"), BindPool{GlobalBindingName, poolA})
	w.static.GlobalPool = poolB
	w.restart()
	if b, _ := w.state.Binding(GlobalBindingName); b.Pool != poolB || !b.ReadOnly {
		t.Errorf("got %+v", b)
	}
	readOnly := Error{FailedPrecondition, ReasonReadOnly, "name", GlobalBindingName,
		"global/poolBinding is set by the daemon's configuration, as pools.global; change it there"}
	w.refused("bind", BindPool{GlobalBindingName, poolB}, readOnly)
	w.refused("unbind", UnbindPool{GlobalBindingName}, readOnly)
	w.refused("delete its pool", DeletePool{poolB}, Error{FailedPrecondition, ReasonInUse, "name", GlobalBindingName, poolB + " is in use by global/poolBinding"})
	w.planned("draw from it", Allocate{Name: web},
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","pool":"projects/p/networks/public/pools/b","address":"203.0.113.16","scope":"global"}`,
		`put addr/1/203.0.113.16@0 projects/p/floatingIps/web`,
		`check network/projects/p/networks/public@2`,
		`check pool/projects/p/networks/public/pools/b@4`,
		`put cursor/projects/p/networks/public/pools/b@any {"ipv4":"203.0.113.17"}`)
	w.do(BindPool{devBound, poolA}) // others are the store's
	w.static.GlobalPool = ""
	w.restart()
	if b, _ := w.state.Binding(GlobalBindingName); b.Pool != poolA || b.ReadOnly || b.Version != 5 {
		t.Errorf("got %+v", b)
	}
	w.do(UnbindPool{GlobalBindingName})
	// A pool that is not there is an error, not another pool.
	w.static.GlobalPool = public + "/pools/none"
	w.restart()
	w.refused("missing", Allocate{Name: web}, Error{FailedPrecondition, ReasonBoundPool, "pool", GlobalBindingName,
		"the pool of global/poolBinding does not exist, or is not shared with project p; no other pool takes its place"})
}

// TestOverriddenBinding: a global binding of the store counts for its pool
// while the configuration has another one.
func TestOverriddenBinding(t *testing.T) {
	w := newWorld(t)
	a, b := PoolName(public, "a"), PoolName(public, "b")
	w.do(network(public, "203.0.113.0/24"), pool(a, "203.0.113.0/25"), pool(b, "203.0.113.128/25"), BindPool{GlobalBindingName, a})
	w.static.GlobalPool = b
	w.state = w.restarted()
	if held, _ := w.state.Binding(GlobalBindingName); held.Pool != b {
		t.Errorf("the binding is %+v", held)
	}
	if hidden, ok := w.state.Overridden(); !ok || hidden.Pool != a {
		t.Errorf("overridden is %+v", hidden)
	}
	w.refused("delete", DeletePool{a}, Error{FailedPrecondition, ReasonInUse, "name", GlobalBindingName + " (overridden by pools.global)",
		a + " is in use by global/poolBinding (overridden by pools.global)"})
	w.static.GlobalPool = ""
	w.state = w.restarted()
	if held, _ := w.state.Binding(GlobalBindingName); held.Pool != a {
		t.Errorf("without the file the binding is %+v", held)
	}
}
