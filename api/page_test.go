package api

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// lister lists a page of something: the names on it, and the token of the next.
type lister func(ctx context.Context, size int32, token string) (names []string, next string, err error)

// listers has all lists that come in pages.
func (l *lab) listers() map[string]lister {
	return map[string]lister{
		"networks": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.networks.ListNetworks(ctx, &buoyv1.ListNetworksRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetNetworks()), r.GetNextPageToken(), err
		},
		"pools": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.pools.ListPools(ctx, &buoyv1.ListPoolsRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetPools()), r.GetNextPageToken(), err
		},
		"bindings": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.pools.ListPoolBindings(ctx, &buoyv1.ListPoolBindingsRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetPoolBindings()), r.GetNextPageToken(), err
		},
		"compute nodes": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.computeNodes.ListComputeNodes(ctx, &buoyv1.ListComputeNodesRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetComputeNodes()), r.GetNextPageToken(), err
		},
		"neighbors": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.neighbors.ListNeighbors(ctx, &buoyv1.ListNeighborsRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetNeighbors()), r.GetNextPageToken(), err
		},
		"floating IPs": func(ctx context.Context, size int32, token string) ([]string, string, error) {
			r, err := l.floatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{PageSize: size, PageToken: token})
			return namesOf(r.GetFloatingIps()), r.GetNextPageToken(), err
		},
	}
}

func namesOf[R interface{ GetName() string }](list []R) (names []string) {
	for _, r := range list {
		names = append(names, r.GetName())
	}
	return names
}

// bindings of two namespaces, and a second pool.
func (l *lab) withPools(t testing.TB) *lab {
	createPool(t, l, poolA, []string{"203.0.113.100-203.0.113.109"})
	createPool(t, l, poolB, []string{"203.0.113.110-203.0.113.119"})
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: poolA})
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: ofGlobal, Pool: poolB})
	return l
}

// Pages of any size, put together, are the list.
func TestPages(t *testing.T) {
	l := newLab(t).furnish(t).withPools(t)
	for what, list := range l.listers() {
		all, next, err := list(t.Context(), 0, "")
		if err != nil || len(all) < 2 || next != "" || !slices.IsSorted(all) {
			t.Fatalf("%s: got %q, next %q, error %v, want two or more in order", what, all, next, err)
		}
		for size := int32(1); size <= int32(len(all))+1; size++ {
			var got []string
			token := ""
			for pages := 1; ; pages++ {
				names, next, err := list(t.Context(), size, token)
				if err != nil {
					t.Fatalf("%s: page of %d: %v", what, size, err)
				}
				got, token = append(got, names...), next
				if last := pages*int(size) >= len(all); last != (next == "") {
					t.Errorf("%s: page %d of %d: got next %q, want it empty: %t", what, pages, size, next, last)
				}
				if next == "" {
					break
				}
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s: in pages of %d: got %q, want %q", what, size, got, all)
			}
		}
	}
}

func TestPagesRefused(t *testing.T) {
	l := newLab(t).furnish(t).withPools(t)
	badSize := refusal{codes.InvalidArgument, "INVALID_FIELD", "page_size", "", "expected 0..1000, got -1"}
	badToken := refusal{codes.InvalidArgument, "INVALID_FIELD", "page_token", "", "expected the next_page_token of the page before"}
	lists := l.listers()
	for what, list := range lists {
		t.Run(what, func(t *testing.T) {
			_, _, err := list(t.Context(), -1, "")
			badSize.check(t, err)
			for _, token := range []string{"!", "abcd", "bmVpZ2hib3Jz", web1} { // the third one is "neighbors"
				if what == "neighbors" && token == "bmVpZ2hib3Jz" {
					continue
				}
				_, _, err := list(t.Context(), 0, token)
				badToken.check(t, err)
			}
			for other, foreign := range lists {
				if _, token, err := foreign(t.Context(), 1, ""); other != what && err == nil {
					_, _, err := list(t.Context(), 0, token)
					badToken.check(t, err)
				}
			}
		})
	}
}

// What comes and goes between two pages neither doubles nor hides the others.
func TestPagesAndChanges(t *testing.T) {
	l := newLab(t).furnish(t)
	fip := func(n int) string { return fmt.Sprintf("projects/default/floatingIps/p%03d", n) }
	allocate := func(n int) {
		call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: fip(n), Network: public})
	}
	release := func(n int) { call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: fip(n)}) }
	for n := 10; n < 20; n++ {
		allocate(n)
	}
	var got []string
	token := ""
	for page := 0; page == 0 || token != ""; page++ {
		resp := call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/default", PageSize: 4, PageToken: token})
		got, token = append(got, namesOf(resp.FloatingIps)...), resp.NextPageToken
		if page == 0 { // idle, p010, p011, p012
			release(12) // the last name of the page: the next one begins behind it all the same
			release(13) // not listed yet
			allocate(5) // before the next page
			allocate(30)
		}
	}
	want := []string{idle, fip(10), fip(11), fip(12), fip(14), fip(15), fip(16), fip(17), fip(18), fip(19), fip(30), web1, web6}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// The filters of floating IPs hold for every page, and so does the parent: the
// next project's are not on the last page.
func TestFloatingIPFilters(t *testing.T) {
	l := newLab(t).furnish(t)
	createPool(t, l, poolA, []string{"203.0.113.100-203.0.113.109"}, "*")
	const other = "projects/default-2/networks/vn"
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: other, Subnets: []string{"192.0.2.0/24"}}})
	for name, req := range map[string]*buoyv1.AllocateRequest{
		"projects/default/floatingIps/pooled": {Pool: poolA},
		"projects/default-2/floatingIps/a":    {Network: other},
		"projects/default-2/floatingIps/b":    {Pool: poolA},
		"projects/alpha/floatingIps/c":        {Pool: poolA},
	} {
		req.Name = name
		call(t, l.floatingIPs.Allocate, req)
	}
	const c, pooled, a, b = "projects/alpha/floatingIps/c", "projects/default/floatingIps/pooled", "projects/default-2/floatingIps/a", "projects/default-2/floatingIps/b"
	for _, tt := range []struct {
		name string
		req  *buoyv1.ListFloatingIPsRequest
		want []string
	}{
		{"all", &buoyv1.ListFloatingIPsRequest{}, []string{c, a, b, idle, pooled, web1, web6}},
		{"parent", &buoyv1.ListFloatingIPsRequest{Parent: "projects/default"}, []string{idle, pooled, web1, web6}},
		{"other parent", &buoyv1.ListFloatingIPsRequest{Parent: "projects/default-2"}, []string{a, b}},
		{"no such parent", &buoyv1.ListFloatingIPsRequest{Parent: "projects/defaul"}, nil},
		{"network", &buoyv1.ListFloatingIPsRequest{Network: public}, []string{c, b, idle, pooled, web1, web6}},
		{"pool", &buoyv1.ListFloatingIPsRequest{Pool: poolA}, []string{c, b, pooled}},
		{"parent and pool", &buoyv1.ListFloatingIPsRequest{Parent: "projects/default", Pool: poolA}, []string{pooled}},
		{"network and pool", &buoyv1.ListFloatingIPsRequest{Network: other, Pool: poolA}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			req := proto.CloneOf(tt.req)
			for req.PageSize = 1; ; {
				resp := call(t, l.floatingIPs.ListFloatingIPs, req)
				got = append(got, namesOf(resp.FloatingIps)...)
				if req.PageToken = resp.NextPageToken; req.PageToken == "" {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for field, req := range map[string]*buoyv1.ListFloatingIPsRequest{
		"network": {Network: "projects/default/networks/nope"},
		"pool":    {Pool: "projects/default/networks/nope"},
	} {
		_, err := l.floatingIPs.ListFloatingIPs(t.Context(), req)
		refusal{codes.NotFound, "RESOURCE_NOT_FOUND", field, "projects/default/networks/nope", "projects/default/networks/nope does not exist"}.check(t, err)
	}
}

// A page looks at no more floating IPs than it needs: not at those before it,
// nor at those of other parents.
func TestPageLooksAtFew(t *testing.T) {
	m := &memory{inventory.NewState(inventory.Static{})}
	s := servicesOver(m)
	if _, err := m.Execute(t.Context(), inventory.SeedGlobal{AS: 64512}); err != nil {
		t.Fatal(err)
	}
	for _, project := range []string{"a", "b", "c"} {
		network := inventory.NetworkName(project, "vn")
		if _, err := s.networks.CreateNetwork(t.Context(), &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network, Subnets: []string{"10.0.0.0/24"}}}); err != nil {
			t.Fatal(err)
		}
		for n := range 50 {
			if _, err := m.Execute(t.Context(), inventory.Allocate{Name: inventory.FloatingIPName(project, fmt.Sprintf("f%02d", n)), Network: network}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		parent, after string
		size, looked  int // one more than the page, to know whether it is the last
	}{
		{"projects/b", "", 10, 11},
		{"projects/b", "projects/b/floatingIps/f29", 10, 12}, // and the one before it
		{"projects/b", "projects/b/floatingIps/f44", 10, 6},
		{"", "projects/c/floatingIps/f39", 5, 7},
		{"projects/a", "projects/b/floatingIps/f44", 5, 0},
	} {
		looked := 0
		pageOf(page{tt.size, tt.after}, func(yield func(*inventory.FloatingIP) bool) {
			for f := range floatingIPsIn(m.state, tt.parent, tt.after) {
				if looked++; !yield(f) {
					return
				}
			}
		}, floatingIPName, all)
		if looked != tt.looked {
			t.Errorf("%+v: looked at %d", tt, looked)
		}
	}
}

// More than the most is the most.
func TestPageSize(t *testing.T) {
	for size, want := range map[int32]int{0: 1000, 1: 1, 1000: 1000, 1001: 1000, 1<<31 - 1: 1000} {
		var f fields
		if got := f.page(size, "", inventory.KindNetwork); f.err != nil || got.size != want || got.after != "" {
			t.Errorf("page_size %d: got %+v, %v, want size %d", size, got, f.err, want)
		}
	}
}
