package inventory

import (
	"testing"
)

// scoped is a world with a pool for each scope, at revision 11. Project p owns
// them; q may use all but the one named own, r none.
func scoped(t *testing.T) *world {
	w := newWorld(t)
	shared := func(id, text string, with ...string) CreatePool {
		c := pool(PoolName(public, id), text)
		c.Pool.SharedWith = with
		return c
	}
	w.do(network(public, "203.0.113.0/24"),
		shared("own", "203.0.113.16/28"), shared("named", "203.0.113.32/28", "q"),
		shared("dev", "203.0.113.48/28", "q"), shared("global", "203.0.113.64/28", "q"),
		shared("all", "203.0.113.80/28", AllProjects), shared("ownbound", "203.0.113.96/28"),
		BindPool{devBound, public + "/pools/dev"}, BindPool{"namespaces/own/poolBinding", public + "/pools/ownbound"},
		BindPool{GlobalBindingName, public + "/pools/global"})
	return w
}

// TestScopes checks that the most specific one decides.
func TestScopes(t *testing.T) {
	w := scoped(t)
	const head = `put fip/projects/q/floatingIps/web@0 {"name":"projects/q/floatingIps/web","network":"projects/p/networks/public",`
	const claim = `put addr/1/203.0.113.`
	const rest = `@0 projects/q/floatingIps/web`
	const checked = `check network/projects/p/networks/public@2`
	const q = "projects/q/floatingIps/web"
	named := public + "/pools/named"
	w.planned("request", Allocate{Name: q, Pool: named},
		head+`"pool":"projects/p/networks/public/pools/named","address":"203.0.113.32","scope":"request"}`,
		claim+`32`+rest, checked,
		`check pool/projects/p/networks/public/pools/named@4`,
		`put cursor/projects/p/networks/public/pools/named@any {"ipv4":"203.0.113.33"}`)
	w.planned("request before namespace", Allocate{Name: q, Pool: named, Namespace: "dev", Address: addr("203.0.113.40")},
		head+`"pool":"projects/p/networks/public/pools/named","address":"203.0.113.40","scope":"request","namespace":"dev"}`,
		claim+`40`+rest, checked,
		`check pool/projects/p/networks/public/pools/named@4`)
	w.planned("namespace before global", Allocate{Name: q, Namespace: "dev"},
		head+`"pool":"projects/p/networks/public/pools/dev","address":"203.0.113.48","scope":"namespace","namespace":"dev"}`,
		claim+`48`+rest, checked,
		`check binding/namespaces/dev/poolBinding@9`,
		`check pool/projects/p/networks/public/pools/dev@5`,
		`put cursor/projects/p/networks/public/pools/dev@any {"ipv4":"203.0.113.49"}`)
	w.planned("a namespace that is not bound", Allocate{Name: q, Namespace: "prod"},
		head+`"pool":"projects/p/networks/public/pools/global","address":"203.0.113.64","scope":"global","namespace":"prod"}`,
		claim+`64`+rest, checked,
		`check binding/namespaces/prod/poolBinding@0`,
		`check binding/global/poolBinding@11`,
		`check pool/projects/p/networks/public/pools/global@6`,
		`put cursor/projects/p/networks/public/pools/global@any {"ipv4":"203.0.113.65"}`)
	w.planned("no namespace", Allocate{Name: q},
		head+`"pool":"projects/p/networks/public/pools/global","address":"203.0.113.64","scope":"global"}`,
		claim+`64`+rest, checked,
		`check binding/global/poolBinding@11`,
		`check pool/projects/p/networks/public/pools/global@6`,
		`put cursor/projects/p/networks/public/pools/global@any {"ipv4":"203.0.113.65"}`)
	w.planned("a network: outside its pools", Allocate{Name: web, Network: public, Namespace: "dev"},
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.1","namespace":"dev"}`,
		`put addr/1/203.0.113.1@0 projects/p/floatingIps/web`, checked,
		`none above pool/projects/p/networks/public/pools/@11`,
		`put cursor/projects/p/networks/public@any {"ipv4":"203.0.113.2"}`)
	// The owner needs no permission, and everybody has that of a pool for all.
	w.do(Allocate{Name: web, Pool: public + "/pools/own"}, Allocate{Name: mail, Namespace: "own"},
		Allocate{Name: "projects/r/floatingIps/web", Pool: public + "/pools/all"})
}

// TestScopesFailClosed checks that no pool takes the place of one that is named
// and cannot be used.
func TestScopesFailClosed(t *testing.T) {
	w := scoped(t)
	const q, r = "projects/q/floatingIps/web", "projects/r/floatingIps/web"
	bound := func(field, binding, project string) Error {
		return Error{FailedPrecondition, ReasonBoundPool, field, binding,
			"the pool of " + binding + " does not exist, or is not shared with project " + project + "; no other pool takes its place"}
	}
	unshared := func(id, project string) Error {
		return Error{PermissionDenied, ReasonNotShared, "pool", "",
			PoolName(public, id) + " is not shared with project " + project + ", or does not exist"}
	}
	for _, tt := range []struct {
		name    string
		command Allocate
		want    Error
	}{
		{"both", Allocate{Name: web, Pool: poolA, Network: public},
			Error{InvalidArgument, ReasonInvalid, "network", "", "expected a pool or a network, got both"}},
		{"namespace's name", Allocate{Name: web, Pool: poolA, Namespace: "Dev"},
			Error{InvalidArgument, ReasonInvalid, "namespace", "", `expected lower-case letters, digits and inside the name '-', '_', '.'; got "Dev"`}},
		{"pool's name", Allocate{Name: web, Pool: "named", Namespace: "dev"},
			Error{InvalidArgument, ReasonInvalid, "pool", "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "named"`}},
		{"own pool, missing", Allocate{Name: web, Pool: poolA, Namespace: "dev"},
			Error{NotFound, ReasonNotFound, "pool", poolA, poolA + " does not exist"}},
		{"another project's pool, missing", Allocate{Name: q, Pool: poolA, Namespace: "dev"}, unshared("a", "q")},
		{"another project's pool, not shared", Allocate{Name: q, Pool: PoolName(public, "own"), Namespace: "dev"}, unshared("own", "q")},
		{"another project's pool, shared with a third one", Allocate{Name: r, Pool: PoolName(public, "named")}, unshared("named", "r")},
		{"namespace's pool, not shared", Allocate{Name: q, Namespace: "own"}, bound("namespace", "namespaces/own/poolBinding", "q")},
		{"namespace's pool, shared with others", Allocate{Name: r, Namespace: "dev"}, bound("namespace", devBound, "r")},
		{"global pool, not shared", Allocate{Name: r, Namespace: "prod"}, bound("pool", GlobalBindingName, "r")},
		{"global pool, not shared, no namespace", Allocate{Name: r}, bound("pool", GlobalBindingName, "r")},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
	// Sharing ends; what was drawn before stays.
	w.do(Allocate{Name: q, Namespace: "dev"}, UpdatePool{Name: public + "/pools/dev", SharedWith: &[]string{"r"}}, Allocate{Name: r, Namespace: "dev"})
	w.refused("no longer shared", Allocate{Name: q + "2", Namespace: "dev"}, bound("namespace", devBound, "q"))

	// A store may bind to what it does not hold.
	w.commit([]Mutation{put(bindingPrefix+devBound, AnyVersion, Binding{Name: devBound, Pool: poolA})})
	w.refused("namespace's pool, missing", Allocate{Name: q + "2", Namespace: "dev"}, bound("namespace", devBound, "q"))
	w.refused("namespace's pool, missing, the owner", Allocate{Name: web, Namespace: "dev"}, bound("namespace", devBound, "p"))

	w.do(UnbindPool{GlobalBindingName})
	w.refused("nothing is bound", Allocate{Name: q, Namespace: "prod"}, Error{AlreadyExists, ReasonExists, "name", q, q + " exists with address 203.0.113.48"})
	w.refused("nothing is bound", Allocate{Name: web, Namespace: "prod"},
		Error{FailedPrecondition, ReasonNoPool, "pool", "", "expected a pool or a network: neither namespace prod nor the cluster is bound to one"})
	w.refused("nothing is bound, no namespace", Allocate{Name: web},
		Error{FailedPrecondition, ReasonNoPool, "pool", "", "expected a pool or a network: the cluster is bound to none"})
}

// TestErrorsDoNotTell compares what a project is told of a pool that it may not
// use with what it is told of one that does not exist.
func TestErrorsDoNotTell(t *testing.T) {
	const r = "projects/r/floatingIps/web"
	there, gone := scoped(t), scoped(t)
	gone.do(DeletePool{public + "/pools/named"})
	gone.commit([]Mutation{free(poolPrefix + public + "/pools/dev"), free(poolPrefix + public + "/pools/global"), free(networkPrefix + public)})
	for _, c := range []Command{
		Allocate{Name: r, Pool: public + "/pools/named"},
		Allocate{Name: r, Pool: public + "/pools/named", Address: addr("203.0.113.32")},
		Allocate{Name: r, Pool: public + "/pools/named", Address: addr("198.51.100.1")},
		Allocate{Name: r, Namespace: "dev"},
		Allocate{Name: r, Namespace: "dev", Address: addr("203.0.113.48")},
		Allocate{Name: r},
		Allocate{Name: r, Network: public},
		Allocate{Name: r, Network: public, Address: addr("203.0.113.5")},
	} {
		_, a := Plan(there.state, now, c)
		_, b := Plan(gone.state, now, c)
		if a == nil || b == nil || *a.(*Error) != *b.(*Error) {
			t.Errorf("%+v:\n there %+v\n gone  %+v", c, a, b)
		}
	}
}

// TestHolderIsNamed tells who has an address only to who may see it.
func TestHolderIsNamed(t *testing.T) {
	w := scoped(t)
	all := public + "/pools/all"
	const mine, theirs = "projects/q/floatingIps/mine", "projects/r/floatingIps/theirs"
	w.do(Allocate{Name: mine, Pool: all, Address: addr("203.0.113.81")}, Allocate{Name: theirs, Pool: all, Address: addr("203.0.113.82")})
	for _, tt := range []struct{ project, addr, holder string }{
		{"q", "203.0.113.81", mine},
		{"q", "203.0.113.82", ""},
		{"r", "203.0.113.81", ""},
		{"r", "203.0.113.82", theirs},
		{"s", "203.0.113.82", ""},
		{"p", "203.0.113.81", mine}, // its own network
		{"p", "203.0.113.82", theirs},
	} {
		message := tt.addr + " is taken"
		if tt.holder != "" {
			message += " by " + tt.holder
		}
		w.refused(tt.project, Allocate{Name: FloatingIPName(tt.project, "x"), Pool: all, Address: addr(tt.addr)},
			Error{AlreadyExists, ReasonAddressTaken, "address", tt.holder, message})
	}
}

func TestVisible(t *testing.T) {
	w := scoped(t)
	w.do(Allocate{Name: "projects/q/floatingIps/web", Namespace: "dev"}, node(cmp1, "10.0.0.11"))
	for _, tt := range []struct {
		name string
		p    bool
		q    bool
		r    bool
	}{
		{public, true, false, false},
		{public + "/pools/own", true, false, false},
		{public + "/pools/named", true, true, false},
		{public + "/pools/all", true, true, true},
		{public + "/pools/none", true, false, false},
		{"projects/q/floatingIps/web", true, true, false}, // p owns the network
		{"projects/q/floatingIps/none", false, true, false},
		{cmp1, true, true, true},
		{devBound, true, true, true},
		{GlobalName, true, true, true},
	} {
		for project, want := range map[string]bool{"p": tt.p, "q": tt.q, "r": tt.r, "": true} {
			if got := w.state.Visible(project, tt.name); got != want {
				t.Errorf("Visible(%q, %s) = %t", project, tt.name, got)
			}
		}
	}
}
