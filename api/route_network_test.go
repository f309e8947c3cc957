package api

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unique"

	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// from makes what a neighbor announces: RD, prefix, label, LOCAL_PREF and
// targets.
func from(t testing.TB, source *vrf.Source, rd, prefix string, label vrf.Label, localPref uint32, targets ...string) *vrf.Received {
	t.Helper()
	d, err := routetarget.ParseDistinguisher(rd)
	if err != nil {
		t.Fatal(err)
	}
	var list []routetarget.Target
	for _, text := range targets {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, target)
	}
	return &vrf.Received{
		Key:    vrf.Key{RD: d, Prefix: netip.MustParsePrefix(prefix)},
		Source: source, Label: label, Since: taken,
		Attributes: unique.Make(vrf.Attributes{NextHop: source.Address, LocalPref: localPref, Targets: routetarget.NewSet(list...)}),
	}
}

// announce replaces what the neighbors announce.
func (s *fakeSpeaker) announce(routes ...*vrf.Received) {
	in := map[netip.Addr][]*vrf.Received{}
	for _, r := range routes {
		in[r.Source.Address] = append(in[r.Source.Address], r)
	}
	for _, list := range in {
		slices.SortFunc(list, func(a, b *vrf.Received) int { return a.Key.Compare(b.Key) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
}

// The targets that vn-public, and vn-private, import.
const ofPublic, ofPrivate = "target:64512:10003", "target:64512:8000002"

// imports gives vn-public routes of all kinds, beside its own, and vn-private some
// of them.
func (l *lab) imports(t testing.TB) *lab {
	mx1, fixed := sourceOf("mx1", "10.0.0.1"), sourceOf("fixed", "10.0.0.9")
	l.speaker.announce(
		from(t, mx1, "1:1", "0.0.0.0/0", 1001, 100, ofPublic, ofPrivate),
		from(t, mx1, "1:1", "198.51.100.0/24", 1002, 100, ofPublic),
		from(t, fixed, "1:2", "198.51.100.0/24", 1003, 100, ofPublic),
		from(t, mx1, "1:3", "198.51.100.0/24", 1004, 50, ofPublic),
		from(t, fixed, "1:4", "198.51.100.0/24", 3, 200, ofPublic),
		from(t, mx1, "1:1", "198.51.100.64/26", 1005, 100, ofPublic),
		from(t, mx1, "1:1", "198.51.100.65/32", 3, 100, ofPublic),
		from(t, mx1, "1:1", "203.0.113.5/32", 1006, 300, ofPublic),
		from(t, mx1, "10.0.0.11:1", "203.0.113.5/32", 1007, 100, "target:1:1"),
		from(t, fixed, "1:1", "2001:db8:1::/48", 1008, 100, ofPublic),
		from(t, mx1, "1:1", "2001:db8:1::/48", 1009, 100, ofPrivate),
	)
	return l
}

// short writes routes in a word each, as far as the tables go.
func short(routes []*buoyv1.Route) (words []string) {
	for _, r := range routes {
		word := fmt.Sprintf("%s:%s=%d", r.RouteDistinguisher, r.Prefix, r.Label)
		for mark, set := range map[string]bool{"*": r.Best, "!": r.State == buoyv1.Route_UNUSABLE} {
			if set {
				word += mark
			}
		}
		if r.Multipath {
			word += "+"
		}
		if r.Source != "" {
			word += " " + strings.TrimPrefix(r.Source, "neighbors/")
		}
		for _, name := range r.Tables {
			word += " " + strings.TrimPrefix(name, "projects/default/networks/")
		}
		words = append(words, word)
	}
	return words
}

// pages lists routes in pages of a size.
func (l *lab) pages(t testing.TB, project string, req *buoyv1.ListRoutesRequest, size int32) (routes []*buoyv1.Route) {
	t.Helper()
	req = proto.CloneOf(req)
	for req.PageSize = size; ; {
		resp := callAs(t, project, l.routes.ListRoutes, req)
		if len(resp.Routes) > int(size) || len(resp.Routes) < int(size) && resp.NextPageToken != "" {
			t.Errorf("page of %d: got %d routes, next %q", size, len(resp.Routes), resp.NextPageToken)
		}
		routes = append(routes, resp.Routes...)
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			return routes
		}
	}
}

// A network's table is its own routes and what it imports, for each prefix the
// best first. It is the same in pages of any size.
func TestListTables(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	const at, in, in6, both = " vn-public", " vn-public.inet.0", " vn-public.inet6.0", " vn-private.inet.0 vn-public.inet.0"
	def, web, six := "1:1:0.0.0.0/0=1001* mx1"+both, "10.0.0.11:1:203.0.113.5/32=100*"+in, "10.0.0.12:1:2001:db8::5/128=106*"+in6
	net := []string{"1:1:198.51.100.0/24=1002*+ mx1" + in, "1:2:198.51.100.0/24=1003+ fixed" + in, "1:3:198.51.100.0/24=1004 mx1" + in, "1:4:198.51.100.0/24=3! fixed" + in}
	sub, host, rival := "1:1:198.51.100.64/26=1005* mx1"+in, "1:1:198.51.100.65/32=3! mx1"+in, "1:1:203.0.113.5/32=1006 mx1"+in
	six1 := "1:1:2001:db8:1::/48=1008* fixed" + in6
	four := slices.Concat([]string{def}, net, []string{sub, host, web, rival})
	plain := func(s string) string { return strings.NewReplacer("*", "", "+", "").Replace(s) }
	vpn := []string{plain(def), plain(net[0]), plain(net[1]), net[2], net[3], plain(sub), host, rival, plain(web), "10.0.0.11:1:203.0.113.5/32=1007 mx1"}
	vpn6 := []string{plain(six), plain(six1), "1:1:2001:db8:1::/48=1009 mx1 vn-private.inet6.0"}
	for _, tt := range []struct {
		name string
		req  *buoyv1.ListRoutesRequest
		want []string
	}{
		{"network", &buoyv1.ListRoutesRequest{Network: public}, append(slices.Clone(four), six, six1)},
		{"IPv4", &buoyv1.ListRoutesRequest{Table: public + ".inet.0"}, four},
		{"IPv6", &buoyv1.ListRoutesRequest{Network: public, Table: "inet6.0"}, []string{six, six1}},
		{"other network", &buoyv1.ListRoutesRequest{Network: private}, []string{def, "1:1:2001:db8:1::/48=1009* mx1 vn-private.inet6.0"}},
		{"prefix", &buoyv1.ListRoutesRequest{Network: public, Prefix: "198.51.100.0/24"}, net},
		{"no such prefix", &buoyv1.ListRoutesRequest{Network: public, Prefix: "198.51.0.0/16"}, nil},
		{"address within", &buoyv1.ListRoutesRequest{Network: public, Prefix: "198.51.100.7"}, net},
		{"address of an unusable route", &buoyv1.ListRoutesRequest{Network: public, Prefix: "198.51.100.65"}, []string{sub}},
		{"address of our own", &buoyv1.ListRoutesRequest{Network: public, Prefix: "203.0.113.5"}, []string{web, rival}},
		{"any address", &buoyv1.ListRoutesRequest{Network: private, Prefix: "203.0.113.5"}, []string{def}},
		{"address without a route", &buoyv1.ListRoutesRequest{Network: public, Prefix: "2001:db8:2::1"}, nil},
		{"address of another family", &buoyv1.ListRoutesRequest{Network: public, Table: "inet6.0", Prefix: "198.51.100.7"}, nil},
		{"everything", &buoyv1.ListRoutesRequest{}, slices.Concat(vpn, vpn6)},
		{"VPNv4", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn.0"}, vpn},
		{"VPNv6", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn-inet6.0"}, vpn6},
		{"VPNv6 of a network", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn-inet6.0", Network: private}, vpn6[2:]},
		{"VPN by prefix", &buoyv1.ListRoutesRequest{Prefix: "2001:db8:1::/48"}, vpn6[1:]},
		{"VPN by address", &buoyv1.ListRoutesRequest{Prefix: "203.0.113.5"}, vpn[7:]},
		{"floating IP", &buoyv1.ListRoutesRequest{FloatingIp: web1}, vpn[8:9]},
		{"received", &buoyv1.ListRoutesRequest{Neighbor: fixed, Direction: buoyv1.ListRoutesRequest_RECEIVED}, []string{plain(net[1]), net[3], plain(six1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for size := int32(1); size <= int32(len(tt.want))+1; size++ {
				if got := short(l.pages(t, "", tt.req, size)); !slices.Equal(got, tt.want) {
					t.Errorf("in pages of %d:\ngot  %q\nwant %q", size, got, tt.want)
				}
			}
		})
	}
	for _, r := range call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Network: public}).Routes {
		if received := r.Source != ""; received && (r.Network != "" || r.FloatingIp != "") || !received && r.Network != public {
			t.Errorf("%v: got network %q, floating IP %q; want them for our own alone", short([]*buoyv1.Route{r}), r.Network, r.FloatingIp)
		}
	}
}

// Of our own routes those with the highest LOCAL_PREF are best.
func TestListOwnPaths(t *testing.T) {
	l := newLab(t).furnish(t)
	at := func(node string, preferred bool) {
		call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: idle, Association: &buoyv1.Association{
			ComputeNode: node, Interface: "tap9", FixedIp: "10.47.255.9", Label: 109, Preferred: preferred}})
	}
	call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: "computeNodes/cmp3", Address: "10.0.0.13"}})
	check := func(want ...string) {
		t.Helper()
		if got := short(l.pages(t, "", &buoyv1.ListRoutesRequest{Network: public, Prefix: "203.0.113.9"}, 2)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const in = " vn-public.inet.0"
	at(cmp2, false)
	at("computeNodes/cmp3", false)
	check("10.0.0.12:1:203.0.113.9/32=109*+"+in, "10.0.0.13:1:203.0.113.9/32=109+"+in)
	at(cmp1, true)
	check("10.0.0.11:1:203.0.113.9/32=109*"+in, "10.0.0.12:1:203.0.113.9/32=109"+in, "10.0.0.13:1:203.0.113.9/32=109"+in)
}

// What comes and goes between two pages moves no other prefix.
func TestRoutePagesAndChanges(t *testing.T) {
	l := newLab(t).furnish(t)
	source := sourceOf("mx1", "10.0.0.1")
	var routes []*vrf.Received
	for n := range 6 {
		routes = append(routes, from(t, source, "1:1", fmt.Sprintf("192.0.2.%d/32", n), 1000+vrf.Label(n), 100, ofPublic))
	}
	for _, req := range []*buoyv1.ListRoutesRequest{{Network: public, Table: "inet.0", PageSize: 2}, {Table: "bgp.l3vpn.0", PageSize: 2}} {
		l.speaker.announce(routes[1:]...)
		resp := call(t, l.routes.ListRoutes, req)
		got := resp.Routes // 1, 2
		l.speaker.announce(routes[0], routes[1], routes[4], routes[5])
		for req.PageToken = resp.NextPageToken; req.PageToken != ""; req.PageToken = resp.NextPageToken {
			resp = call(t, l.routes.ListRoutes, req)
			got = append(got, resp.Routes...)
		}
		var labels []uint32
		for _, r := range got {
			labels = append(labels, r.Label)
		}
		if want := []uint32{1001, 1002, 1004, 1005, 100}; !slices.Equal(labels, want) {
			t.Errorf("%v: got %v, want %v", req, labels, want)
		}
	}
}
