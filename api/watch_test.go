package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// watching is a watch, and what it has sent.
type watching struct {
	testing.TB
	stream buoyv1.Routes_WatchRoutesClient
	token  string // of the last bookmark
}

func (l *lab) watch(t testing.TB, project, network, token string) *watching {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	stream, err := l.routes.WatchRoutes(as(ctx, project), &buoyv1.WatchRoutesRequest{Network: network, ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	return &watching{t, stream, ""}
}

// sends checks the destinations up to the next bookmark, in any order: the table,
// the prefix and the labels of the routes.
func (w *watching) sends(want ...string) {
	w.Helper()
	var got []string
	for {
		resp, err := w.stream.Recv()
		if err != nil {
			w.Fatalf("after %q: %v", got, err)
		}
		if b := resp.GetBookmark(); b != nil {
			w.token = b.ResumeToken
			break
		}
		d := resp.GetDestination()
		text := strings.TrimPrefix(d.Table, d.Network[:strings.LastIndex(d.Network, "/")+1]) + " " + d.Prefix
		for _, word := range short(d.Routes) {
			text += " " + strings.Fields(word[strings.Index(word, "=")+1:])[0]
		}
		got = append(got, text)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("got  %q\nwant %q", got, want)
	}
}

func (w *watching) ends(want refusal) {
	w.Helper()
	resp, err := w.stream.Recv()
	if err == nil {
		w.Fatalf("got %v, want the end", resp)
	}
	want.check(w, err)
}

var tooOld = refusal{codes.OutOfRange, "REVISION_TOO_OLD", "", "", "what has changed since is no longer known: begin again without a resume_token"}

// A watch begins with everything, goes on with what changes, and can be resumed.
func TestWatchRoutes(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	ofPublic := []string{
		"vn-public.inet.0 0.0.0.0/0 1001*", "vn-public.inet.0 198.51.100.0/24 1002*+ 1003+ 1004 3!", "vn-public.inet.0 198.51.100.64/26 1005*",
		"vn-public.inet.0 198.51.100.65/32 3!", "vn-public.inet.0 203.0.113.5/32 100* 1006", "vn-public.inet6.0 2001:db8:1::/48 1008*", "vn-public.inet6.0 2001:db8::5/128 106*",
	}
	ofPrivate := []string{"vn-private.inet.0 0.0.0.0/0 1001*", "vn-private.inet6.0 2001:db8:1::/48 1009*"}
	w, one := l.watch(t, "", "", ""), l.watch(t, "", private, "")
	w.sends(slices.Concat(ofPublic, ofPrivate)...)
	one.sends(ofPrivate...)
	begin := w.token

	// As it is now, whatever has changed; each destination for itself.
	l.speaker.announce(from(t, sourceOf("mx1", "10.0.0.1"), "1:1", "198.51.100.0/24", 2000, 100, "target:64512:10003"))
	l.changes.add(1, "0.0.0.0/0", "198.51.100.0/24")
	w.sends("vn-public.inet.0 0.0.0.0/0", "vn-public.inet.0 198.51.100.0/24 2000*")
	one.sends()
	l.changes.add(2, "0.0.0.0/0")
	w.sends("vn-private.inet.0 0.0.0.0/0")
	one.sends("vn-private.inet.0 0.0.0.0/0")
	resumed := l.watch(t, "", "", begin)
	resumed.sends("vn-public.inet.0 0.0.0.0/0", "vn-public.inet.0 198.51.100.0/24 2000*", "vn-private.inet.0 0.0.0.0/0")

	// Our own.
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1})
	l.changes.add(1, "203.0.113.5/32")
	w.sends("vn-public.inet.0 203.0.113.5/32")
	resumed.sends("vn-public.inet.0 203.0.113.5/32")
	again := l.watch(t, "", private, w.token)
	again.sends() // there is nothing new

	l.changes.forget()
	l.watch(t, "", "", begin).ends(tooOld)
	l.changes.add(1, "0.0.0.0/0")
	w.sends("vn-public.inet.0 0.0.0.0/0")
}

// A route of our own says what the speaker knows, but not which neighbors have it.
func TestWatchOwnRoutes(t *testing.T) {
	l := newLab(t).furnish(t)
	l.speaker.set(func() { l.speaker.refused[keyOfWeb1] = errors.New("table is full") })
	w := l.watch(t, "", public, "")
	var got []*buoyv1.Route
	for {
		resp, err := w.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetBookmark() != nil {
			break
		}
		got = append(got, resp.GetDestination().Routes...)
	}
	refused := best(routeOfWeb1())
	refused.State, refused.Since, refused.StateReason = buoyv1.Route_WITHHELD, nil, "it is tried again: table is full"
	equal(t, "routes", &buoyv1.ListRoutesResponse{Routes: got}, &buoyv1.ListRoutesResponse{Routes: []*buoyv1.Route{refused, best(routeOfWeb6())}})
}

func TestWatchRefused(t *testing.T) {
	l := newLab(t).furnish(t)
	l.watch(t, "", "projects/default/networks/nope", "").ends(notFound("network", "projects/default/networks/nope"))
	l.watch(t, "", "", "yesterday").ends(refusal{codes.InvalidArgument, "INVALID_FIELD", "resume_token", "", `expected what a bookmark said, got "yesterday"`})
	l.watch(t, "dev", public, "").ends(notFound("network", public))
}

// The destinations of a network that is deleted go; when it is all that is watched,
// the watch ends.
func TestWatchDeletedNetwork(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	all, one := l.watch(t, "", "", ""), l.watch(t, "", private, "")
	one.sends("vn-private.inet.0 0.0.0.0/0 1001*", "vn-private.inet6.0 2001:db8:1::/48 1009*")
	for all.token == "" {
		resp, err := all.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		all.token = resp.GetBookmark().GetResumeToken()
	}
	begin := all.token
	call(t, l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: private})
	l.changes.add(1, "0.0.0.0/0") // what others change meanwhile hides nothing
	all.sends("vn-public.inet.0 0.0.0.0/0 1001*")
	one.sends()
	l.changes.add(2, "0.0.0.0/0", "2001:db8:1::/48", "")
	all.sends("vn-private.inet.0 0.0.0.0/0", "vn-private.inet6.0 2001:db8:1::/48")
	for _, want := range []string{"0.0.0.0/0", "2001:db8:1::/48"} {
		resp, err := one.stream.Recv()
		if d := resp.GetDestination(); err != nil || d.GetPrefix() != want || d.GetNetwork() != private || len(d.GetRoutes()) > 0 {
			t.Errorf("got %v, %v, want %s to go", resp, err, want)
		}
	}
	one.ends(notFound("network", private))
	l.watch(t, "", "", begin).ends(tooOld) // it cannot say which network it was

	// A network of the same name takes its place.
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: private, RouteTargets: []string{ofPublic}}})
	l.changes.add(3, "198.51.100.64/26")
	l.changes.add(2, "0.0.0.0/0")
	for got := ""; got != "0.0.0.0/0"; {
		resp, err := all.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if d := resp.GetDestination(); d != nil {
			if got = d.Prefix; len(d.Routes) != 1 || d.Network != private {
				t.Errorf("got %v, want the route of the new network", d)
			}
		}
	}
	l.changes.add(2, "") // the end of the old one
	fresh := l.watch(t, "", private, "")
	fresh.sends("vn-private.inet.0 0.0.0.0/0 1001*", "vn-private.inet.0 198.51.100.0/24 1002*+ 1003+ 1004 3!", "vn-private.inet.0 198.51.100.64/26 1005*",
		"vn-private.inet.0 198.51.100.65/32 3!", "vn-private.inet.0 203.0.113.5/32 1006*", "vn-private.inet6.0 2001:db8:1::/48 1008*")
}

// Projects see the tables of their networks, without the neighbors.
func TestWatchViewer(t *testing.T) {
	l := tenants(t, true)
	for _, network := range []string{"", devNet} {
		w := l.watch(t, "dev", network, "")
		l.changes.add(3, "10.2.0.0/16") // of the secret network
		l.changes.add(2, "198.51.100.0/32")
		w.sends("own.inet.0 10.1.0.0/16 1001*+ 1002+", "own.inet.0 203.0.113.16/32 100*", "own.inet.0 203.0.113.1/32 102*")
		l.changes.add(1, "10.1.0.0/16")
		for done := false; !done; {
			resp, err := w.stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if d := resp.GetDestination(); d != nil {
				done = true
				if d.Network != devNet || d.Prefix != "10.1.0.0/16" || len(d.Routes) != 2 || d.Routes[0].Source != "" {
					t.Errorf("got %v", d)
				}
			}
		}
	}
	l.watch(t, "dev", secretNet, "").ends(notFound("network", secretNet))
	l.watch(t, "dev", opsNet, "").ends(notFound("network", opsNet))
}

// A long table comes in parts, each destination once. Who does not read it holds
// nobody up, not even the end.
func TestWatchLongTable(t *testing.T) {
	const routes = 3*watchBatch + 1
	l := newLab(t).furnish(t)
	source := sourceOf("mx1", "10.0.0.1")
	var list []*vrf.Received
	for n := range routes {
		list = append(list, from(t, source, "1:1", fmt.Sprintf("10.%d.%d.0/24", n/256, n%256), 1000, 100, ofPublic))
	}
	l.speaker.announce(list...)
	l.watch(t, "", "", "") // and never reads
	w, seen := l.watch(t, "", "", ""), map[string]int{}
	for w.token == "" {
		resp, err := w.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		seen[resp.GetDestination().GetPrefix()]++
		w.token = resp.GetBookmark().GetResumeToken()
	}
	if len(seen) != routes+3 { // two of our own, and the bookmark
		t.Errorf("got %d destinations, want %d", len(seen)-1, routes+2)
	}
	for prefix, times := range seen {
		if times != 1 {
			t.Errorf("%s: sent %d times", prefix, times)
		}
	}
	begin := time.Now()
	l.stopServer()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("stopped after %s", took)
	}
}

// Whoever watches does not keep the server.
func TestWatchAndStop(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	w := l.watch(t, "", "", "")
	for w.token == "" {
		resp, err := w.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		w.token = resp.GetBookmark().GetResumeToken()
	}
	begin := time.Now()
	l.stopServer()
	w.ends(refusal{code: codes.Unavailable, text: "buoyd is stopping"})
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("stopped after %s, want at once", took)
	}
}

// TestWatchOtherEnds: the end of a network that is not watched is none of the
// reader's business, also of one that has resumed.
func TestWatchOtherEnds(t *testing.T) {
	l := tenants(t, true)
	w := l.watch(t, "dev", "", "")
	w.sends("own.inet.0 10.1.0.0/16 1001*+ 1002+", "own.inet.0 203.0.113.16/32 100*", "own.inet.0 203.0.113.1/32 102*")
	r := l.watch(t, "dev", devNet, w.token)
	r.sends()
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: secretFIP})
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: secretFIP})
	n, _ := l.follower.State().Network(secretNet)
	id := n.ID
	call(t, l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: secretNet})
	l.changes.add(id, "10.2.0.0/16", "")
	l.changes.add(1, "10.1.0.0/16")
	r.sends("own.inet.0 10.1.0.0/16 1001*+ 1002+")
}
