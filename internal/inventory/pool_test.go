package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/ipam"
)

func TestCreatePool(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "2001:db8::/64"))
	w.planned("of the whole network", pool(poolA),
		`put pool/projects/p/networks/public/pools/a@0 {"name":"projects/p/networks/public/pools/a"}`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@2`)
	full := pool(poolA, "203.0.113.10-203.0.113.19", "203.0.113.64/26", "203.0.113.5", "2001:db8::/96")
	full.Pool.SharedWith = []string{"q", "r"}
	full.Pool.Automatic = true // not the caller's to choose
	w.planned("full", full,
		`put pool/projects/p/networks/public/pools/a@0 {"name":"projects/p/networks/public/pools/a","ranges":["203.0.113.10-203.0.113.19","203.0.113.64/26","203.0.113.5","2001:db8::/96"],"shared_with":["q","r"]}`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@2`)
	w.do(full)
	p, _ := w.state.Pool(poolA)
	if p.Network() != public || p.Version != 3 || summary(p.Usable()) != "203.0.113.5, 203.0.113.10-203.0.113.19, 203.0.113.64/26, 2001:db8::1-2001:db8::ffff:ffff" {
		t.Errorf("got %+v with %s", p, summary(p.Usable()))
	}
	for project, want := range map[string]bool{"p": true, "q": true, "r": true, "s": false, "*": false, "": false} {
		if got := p.UsableBy(project); got != want {
			t.Errorf("UsableBy(%q) = %t", project, got)
		}
	}
	// What is beside it is free for another one; the network's reservations bind both.
	w.do(pool(poolB, "203.0.113.20-203.0.113.63", "203.0.113.128/25"))
	if b, _ := w.state.Pool(poolB); summary(b.Usable()) != "203.0.113.20-203.0.113.63, 203.0.113.128-203.0.113.254" {
		t.Errorf("got %s", summary(b.Usable()))
	}
	// A pool of the whole network follows its subnets; its namesake elsewhere is another pool.
	whole := private + "/pools/a"
	w.do(network(private), pool(whole), UpdateNetwork{Name: private, Subnets: ptr(prefixes("198.51.100.0/29")), Hosts: ptr(ReserveLast)})
	if p, _ := w.state.Pool(whole); summary(p.Usable()) != "198.51.100.1-198.51.100.4" {
		t.Errorf("got %s", summary(p.Usable()))
	}
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}

// poolRefusals are what CreatePool and UpdatePool refuse alike.
func poolRefusals() []struct {
	name string
	pool Pool
	want Error
} {
	many := make([]ipam.Range, 257)
	projects := slices.Repeat([]string{"q"}, 1001)
	return []struct {
		name string
		pool Pool
		want Error
	}{
		{"invalid range", Pool{Ranges: []ipam.Range{{}}},
			Error{InvalidArgument, ReasonInvalid, "ranges", "", "expected a range like 203.0.113.10-203.0.113.99 or a prefix like 203.0.113.0/25, got invalid range"}},
		{"outside", Pool{Ranges: ranges("203.0.113.5", "198.51.100.0/30")},
			Error{InvalidArgument, ReasonOutsideNetwork, "ranges", "", "198.51.100.0/30 is not inside the subnets of " + public + ": [203.0.113.0/24 2001:db8::/64]"}},
		{"partly outside", Pool{Ranges: ranges("203.0.113.250-203.0.114.1")},
			Error{InvalidArgument, ReasonOutsideNetwork, "ranges", "", "203.0.113.250-203.0.114.1 is not inside the subnets of " + public + ": [203.0.113.0/24 2001:db8::/64]"}},
		{"outside, IPv6", Pool{Ranges: ranges("2001:db8::/63")},
			Error{InvalidArgument, ReasonOutsideNetwork, "ranges", "", "2001:db8::/63 is not inside the subnets of " + public + ": [203.0.113.0/24 2001:db8::/64]"}},
		{"ranges overlap", Pool{Ranges: ranges("203.0.113.1-203.0.113.9", "203.0.113.20", "203.0.113.9-203.0.113.10")},
			Error{InvalidArgument, ReasonPoolsOverlap, "ranges", "", "203.0.113.9-203.0.113.10 overlaps 203.0.113.1-203.0.113.9"}},
		{"many ranges", Pool{Ranges: many},
			Error{InvalidArgument, ReasonInvalid, "ranges", "", "expected at most 256, got 257"}},
		{"many projects", Pool{SharedWith: projects},
			Error{InvalidArgument, ReasonInvalid, "shared_with", "", `expected at most 1000 projects, got 1001; "*" stands for all`}},
		{"project", Pool{SharedWith: []string{"q", "Q"}},
			Error{InvalidArgument, ReasonInvalid, "shared_with", "", `project: expected lower-case letters, digits and inside the name '-', '_', '.'; got "Q"; "*" stands for all`}},
		{"no project", Pool{SharedWith: []string{""}},
			Error{InvalidArgument, ReasonInvalid, "shared_with", "", `project: expected a name; "*" stands for all`}},
		{"overlap", Pool{Ranges: ranges("203.0.113.1", "203.0.113.96-203.0.113.140")},
			Error{AlreadyExists, ReasonPoolsOverlap, "ranges", poolB, poolA + " and " + poolB + " would overlap: both hold 203.0.113.128-203.0.113.140"}},
		{"one address in common, a reserved one", Pool{Ranges: ranges("203.0.113.255")},
			Error{AlreadyExists, ReasonPoolsOverlap, "ranges", poolB, poolA + " and " + poolB + " would overlap: both hold 203.0.113.255"}},
		{"whole network", Pool{},
			Error{AlreadyExists, ReasonPoolsOverlap, "ranges", poolB, poolA + " and " + poolB + " would overlap: both hold 203.0.113.128/25"}},
	}
}

func TestPoolRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "2001:db8::/64"), pool(poolB, "203.0.113.128/25"))
	for _, tt := range poolRefusals() {
		tt.pool.Name = poolA
		w.refused("create: "+tt.name, CreatePool{tt.pool}, tt.want)
	}
	w.refused("exists", pool(poolB), Error{AlreadyExists, ReasonExists, "name", poolB, poolB + " exists"})
	w.refused("name", pool("a"), Error{InvalidArgument, ReasonInvalid, "name", "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "a"`})
	w.refused("no network", pool(private+"/pools/a"), Error{NotFound, ReasonNotFound, "name", private, private + " does not exist"})
	// Also without an address, the whole network is there once.
	w.do(network(private), pool(private+"/pools/a"))
	w.refused("twice the whole network", pool(private+"/pools/b"), Error{AlreadyExists, ReasonPoolsOverlap, "ranges", private + "/pools/a",
		private + "/pools/b and " + private + "/pools/a would overlap: both stand for the whole network"})

	w.do(pool(poolA, "203.0.113.1"))
	for _, tt := range poolRefusals() {
		if tt.name == "project" || tt.name == "no project" || tt.name == "many projects" {
			w.refused("update: "+tt.name, UpdatePool{Name: poolA, SharedWith: &tt.pool.SharedWith}, tt.want)
			continue
		}
		w.refused("update: "+tt.name, UpdatePool{Name: poolA, Ranges: &tt.pool.Ranges}, tt.want)
	}
	unknown := public + "/pools/none"
	w.refused("update unknown", UpdatePool{Name: unknown}, Error{NotFound, ReasonNotFound, "name", unknown, unknown + " does not exist"})
	w.refused("delete unknown", DeletePool{unknown}, Error{NotFound, ReasonNotFound, "name", unknown, unknown + " does not exist"})
}

func TestUpdatePool(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/28"), pool(poolB, "203.0.113.128/25"),
		Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.5")}, Allocate{Name: mail, Pool: poolA, Address: addr("203.0.113.9")})
	w.planned("nothing", UpdatePool{Name: poolA},
		`put pool/projects/p/networks/public/pools/a@3 {"name":"projects/p/networks/public/pools/a","ranges":["203.0.113.0/28"]}`,
		`check network/projects/p/networks/public@2`)
	w.planned("sharing", UpdatePool{Name: poolA, SharedWith: &[]string{"*"}},
		`put pool/projects/p/networks/public/pools/a@3 {"name":"projects/p/networks/public/pools/a","ranges":["203.0.113.0/28"],"shared_with":["*"]}`,
		`check network/projects/p/networks/public@2`)
	w.planned("growing", UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.0/25"))},
		`put pool/projects/p/networks/public/pools/a@3 {"name":"projects/p/networks/public/pools/a","ranges":["203.0.113.0/25"]}`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@6`,
		`none above addr/1/@6`)
	const problem = "an address that would no longer be in the pool " + poolA + " is in use by "
	w.refused("one is outside", UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.0/29"))},
		Error{FailedPrecondition, ReasonInUse, "ranges", mail, problem + mail + " (203.0.113.9)"})
	w.refused("both are outside", UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.10"))},
		Error{FailedPrecondition, ReasonInUse, "ranges", web, problem + web + " (203.0.113.5), " + mail + " (203.0.113.9)"})
	// It shrinks to what is in use, and what is outside is another pool's, or nobody's.
	w.do(UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.5", "203.0.113.9"))},
		allocate(fip(1), public, "203.0.113.6"),
		UpdatePool{Name: poolB, Ranges: ptr(ranges("203.0.113.128/25", "203.0.113.7-203.0.113.8"))},
		DeletePool{poolB}, UpdatePool{Name: poolA, Ranges: &[]ipam.Range{}})
	if p, _ := w.state.Pool(poolA); len(p.Ranges) != 0 || summary(p.Usable()) != "203.0.113.1-203.0.113.254" || w.state.Used(p) != 3 {
		t.Errorf("got %+v", p)
	}
}

func TestDeletePool(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/28"), pool(poolB, "203.0.113.16/28"),
		BindPool{GlobalBindingName, poolA}, BindPool{devBound, poolA}, BindPool{"namespaces/prod/poolBinding", poolB})
	for i := range 7 {
		w.do(Allocate{Name: fip(i), Pool: poolA})
	}
	w.refused("bound and in use", DeletePool{poolA}, Error{FailedPrecondition, ReasonInUse, "name", GlobalBindingName,
		poolA + " is in use by global/poolBinding, " + devBound + ", " + strings.Join([]string{fip(0), fip(1), fip(2)}, ", ") + " and 4 more"})
	w.refused("bound", DeletePool{poolB}, Error{FailedPrecondition, ReasonInUse, "name", "namespaces/prod/poolBinding",
		poolB + " is in use by namespaces/prod/poolBinding"})
	w.do(UnbindPool{"namespaces/prod/poolBinding"})
	w.planned("free", DeletePool{poolB},
		`delete pool/projects/p/networks/public/pools/b@4`,
		`delete cursor/projects/p/networks/public/pools/b@any`,
		`none above binding/@15`,
		`none above addr/1/@15`)
	// A floating IP in its range that was not drawn from it does not need it.
	w.do(allocate(web, public, "203.0.113.40"), pool(public+"/pools/c", "203.0.113.40/30"), DeletePool{public + "/pools/c"})

	w.do(UnbindPool{devBound}, UnbindPool{GlobalBindingName})
	for i := range 7 {
		w.refused(fmt.Sprint("before ", i), DeleteNetwork{public}, Error{FailedPrecondition, ReasonInUse, "name", fip(i),
			public + " is in use by " + listed(append(names7(i), web, poolA, poolB), ", ")})
		w.do(Release{fip(i)})
	}
	w.refused("pools", DeleteNetwork{public}, Error{FailedPrecondition, ReasonInUse, "name", web,
		public + " is in use by " + web + ", " + poolA + ", " + poolB})
	w.do(Release{web}, DeletePool{poolA})
	w.refused("one pool", DeleteNetwork{public}, Error{FailedPrecondition, ReasonInUse, "name", poolB, public + " is in use by " + poolB})
	w.do(DeletePool{poolB}, DeleteNetwork{public})
	if len(w.store.keys) != 1 {
		t.Errorf("left over: %v", w.store.keys)
	}
}

// names7 are the floating IPs from one to the seventh.
func names7(from int) (names []string) {
	for i := from; i < 7; i++ {
		names = append(names, fip(i))
	}
	return names
}

// TestMaxPools: a network has so many pools at most; those that are there can be
// changed.
func TestMaxPools(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "10.0.0.0/16"))
	d := NewDraft(w.state, w.now)
	name := func(i int) string { return PoolName(public, fmt.Sprint("p", i)) }
	one := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i/250, 1+i%250) }
	for i := range maxPools {
		if err := d.Do(pool(name(i), one(i))); err != nil {
			t.Fatal(err)
		}
	}
	w.commit(d.Mutations())
	w.refused("one more", pool(name(maxPools), one(maxPools)), Error{Code: ResourceExhausted, Reason: ReasonPoolsExhausted, Field: "name", Resource: public,
		Message: public + " has 1000 pools, as many as there may be"})
	w.do(UpdatePool{Name: name(5), Ranges: ptr(ranges(one(maxPools)))})
}
