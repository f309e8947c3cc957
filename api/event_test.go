package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// eventText is an event on one line.
func eventText(e *buoyv1.Event) string {
	subject := inventory.ShortName(e.Subject)
	if n := len(e.Names); n > 0 {
		subject = fmt.Sprintf("%d of %d", n, e.Count)
	}
	parts := []string{subject, e.Kind.String(), e.Method}
	for _, c := range e.Changes {
		parts = append(parts, fmt.Sprintf("%s: %s → %s", c.Field, c.Before, c.After))
	}
	if e.Reason != "" {
		parts = append(parts, "("+e.Reason+")")
	}
	return strings.Join(parts, " ")
}

// happened lists the events for a project in pages of a few.
func (l *lab) happened(t testing.TB, project, what string) (list []*buoyv1.Event) {
	t.Helper()
	req := &buoyv1.ListEventsRequest{For: what, PageSize: 3}
	for {
		resp := callAs(t, project, l.events.ListEvents, req)
		if list = append(list, resp.Events...); resp.NextPageToken == "" {
			return list
		}
		if len(resp.Events) != 3 {
			t.Fatalf("a page of %d", len(resp.Events))
		}
		req.PageToken = resp.NextPageToken
	}
}

func expectEvents(t testing.TB, list []*buoyv1.Event, want ...string) {
	t.Helper()
	var got []string
	for _, e := range list {
		got = append(got, eventText(e))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestEvents: a change is told with the fields that differ, in the words of the API, and
// found by the names of what it is about.
func TestEvents(t *testing.T) {
	l := newLab(t).furnish(t)
	_, begin, _ := l.history.Kept()
	call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public, RouteTargets: []string{"target:64512:2"}}, UpdateMask: maskOf("route_targets")})
	to2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 300}
	call(t, l.floatingIPs.Move, &buoyv1.MoveRequest{Name: web1, From: cmp1, Association: to2})
	call(t, l.floatingIPs.Move, &buoyv1.MoveRequest{Name: web1, From: cmp2, Association: &buoyv1.Association{ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.255.249"}, ValidateOnly: true})
	call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, HoldTime: 60}, UpdateMask: maskOf("hold_time")})
	call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, HoldTime: 60}, UpdateMask: maskOf("hold_time")})
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1})
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: web1})
	moved := "web-1 CHANGED FloatingIPs.Move associations: [{compute_node: computeNodes/cmp1, interface: tap0, fixed_ip: 10.47.255.249, label: 100}] → [{compute_node: computeNodes/cmp2, interface: tap2, fixed_ip: 10.47.255.2, label: 300}]"
	ended := "web-1 CHANGED FloatingIPs.Disassociate associations: [{compute_node: computeNodes/cmp2, interface: tap2, fixed_ip: 10.47.255.2, label: 300}] → "
	held := "cmp1 CHANGED ComputeNodes.UpdateComputeNode hold_time: 30 → 60"
	released := "web-1 DELETED FloatingIPs.Release network: " + public + " →  address: 203.0.113.5 → "
	since := func(what string) (list []*buoyv1.Event) {
		for _, e := range l.happened(t, "", what) {
			if e.Sequence >= begin && e.Kind != buoyv1.Event_OBSERVED {
				list = append(list, e)
			}
		}
		return list
	}
	target := "vn-public CHANGED Networks.UpdateNetwork route_targets: [target:64512:10003] → [target:64512:2]"
	expectEvents(t, since(""), target, moved, held, ended, released)
	expectEvents(t, since("web-1"), moved, ended, released)
	expectEvents(t, since(web1), moved, ended, released)
	expectEvents(t, since("203.0.113.5"), moved, ended, released)
	expectEvents(t, since("cmp1"), moved, held)
	expectEvents(t, since(cmp2), moved, ended)
	expectEvents(t, since("nope"))
	expectEvents(t, call(t, l.events.ListEvents, &buoyv1.ListEventsRequest{Since: time.Now().Add(time.Hour).Format(time.RFC3339)}).Events)
	if got, want := len(call(t, l.events.ListEvents, &buoyv1.ListEventsRequest{Since: "1h"}).Events), len(l.happened(t, "", "")); got != want {
		t.Errorf("since an hour: %d of %d", got, want)
	}
	for _, wrong := range []*buoyv1.ListEventsRequest{{Since: "yesterday"}, {Since: "-1h"}, {PageToken: "x"}, {PageSize: -1}} {
		if _, err := l.events.ListEvents(t.Context(), wrong); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

// TestAuthors: who makes a change is told, over gRPC and HTTP, on a Unix socket and TCP;
// what a client says of it counts for nothing.
func TestAuthors(t *testing.T) {
	l := newLab(t).furnish(t)
	who := fmt.Sprintf("uid %d, pid %d", os.Getuid(), os.Getpid())
	if u, err := user.Current(); err == nil {
		who = fmt.Sprintf("%s (uid %d, pid %d)", u.Username, os.Getuid(), os.Getpid())
	}
	last := func() *buoyv1.Event {
		list := l.happened(t, "", "direction-of")
		return list[len(list)-1]
	}
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/direction-of", Network: public})
	if e := last(); e.Who != who || !strings.HasPrefix(e.UserAgent, "grpc-go/") || e.Project != "" || e.Method != "FloatingIPs.Allocate" {
		t.Errorf("got %v, want %s", e, who)
	}
	l.ok(t, "DELETE", "/v1/projects/default/floatingIps/direction-of", "", "User-Agent", "orchestrator/3\xff", "Grpc-Metadata-Buoy-Peer", "root", "Buoy-Peer", "root", "Buoy-Project", "default")
	if e := last(); e.Who != who || e.UserAgent != "orchestrator/3" || e.Project != "default" || e.Method != "FloatingIPs.Release" {
		t.Errorf("over HTTP: got %v, want %s", e, who)
	}
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	conn, err := net.Dial("tcp", one.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := one.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if got := whoIs(&begun{Conn: accepted}); got != "127.0.0.1" {
		t.Errorf("over TCP: %q", got)
	}
}

// TestEventsObserved: what is observed is told with its reason, one resource at a time.
func TestEventsObserved(t *testing.T) {
	l := newLab(t).furnish(t)
	l.until(t, "the floating IPs are known", func() bool {
		l.observer.mu.Lock()
		defer l.observer.mu.Unlock()
		return l.observer.swept
	})
	expect := func(what string, want ...string) {
		t.Helper()
		var got []string
		l.until(t, fmt.Sprint(want), func() bool {
			got = nil
			for _, e := range l.happened(t, "", what) {
				if e.Kind == buoyv1.Event_OBSERVED {
					// The first look may have been before web-1 was associated, or after.
					got = append(got, strings.NewReplacer("ALLOCATED ", "", "PENDING ", "").Replace(eventText(e)))
				}
			}
			return slices.Equal(got, want)
		})
	}
	l.sessions(neighbor.Established, neighbor.Active)
	up := "fixed OBSERVED  state: IDLE → ESTABLISHED (the neighbor does not offer route-target; it offers inet-vpn, inet6-vpn)"
	advertised := "web-1 OBSERVED  state: → ADVERTISED (to 1 of 2 neighbors: mx1 is Active ())"
	expect("fixed", up)
	expect("web-1", advertised)
	expect("203.0.113.5", advertised)
	l.speaker.change(func() {
		l.speaker.sessions[0].State, l.speaker.sessions[0].Reason = neighbor.Idle, "it sent a NOTIFICATION: Cease, Administrative Shutdown"
	})
	expect("neighbors/fixed", up, "fixed OBSERVED  state: ESTABLISHED → IDLE (it sent a NOTIFICATION: Cease, Administrative Shutdown)")
	l.life.node(cmp1, inventory.NodeLife{State: inventory.NodeUp, Since: taken, Address: "10.0.0.11:4242", Agent: "agent/1"})
	l.life.node(cmp1, inventory.NodeLife{State: inventory.NodeStale, Since: taken, Until: taken.Add(time.Hour), Reason: "its stream ended"})
	l.until(t, "cmp1 is stale", func() bool {
		list := l.happened(t, "", cmp1)
		last := list[len(list)-1]
		return strings.Contains(eventText(last), "→ STALE (its stream ended; what it has reported holds until") && last.Who == ""
	})
}

// until waits for a condition.
func (l *lab) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not happen; events:\n%v", what, l.happened(t, "", ""))
		}
		time.Sleep(10 * time.Millisecond) // the history tells nobody but watchers
	}
}

// TestEventsMany: when very many floating IPs change at once there is one event, which
// each of them is found by.
func TestEventsMany(t *testing.T) {
	l := newLab(t).furnish(t)
	var documents []*buoyv1.Document
	for i := range maxMembers + 1 {
		f := &buoyv1.FloatingIP{Name: fmt.Sprintf("projects/default/floatingIps/many-%04d", i), Network: public, Associations: []*buoyv1.Association{
			{ComputeNode: cmp2, Interface: fmt.Sprint("many", i), FixedIp: "10.47.0.1"}}}
		documents = append(documents, &buoyv1.Document{Resource: &buoyv1.Document_FloatingIp{FloatingIp: f}})
	}
	call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/24", "2001:db8::/64", "10.99.0.0/16"}}, UpdateMask: maskOf("subnets")})
	l.apply(t, documents)
	applied := l.happened(t, "", "many-0007")
	if len(applied) != 1 || len(applied[0].Names) != maxMembers || applied[0].Method != "Configurations.Apply" {
		t.Errorf("got %v", applied)
	}
	o, state := l.observer, l.follower.State()
	states := map[string]turn{}
	for i, d := range documents {
		name := d.GetFloatingIp().Name
		states[name] = turn{buoyv1.FloatingIP_ADVERTISED, buoyv1.FloatingIP_PENDING}
		n := len(states)
		if n != 1 && n != maxAlone && n != maxAlone+1 && n != maxMembers && n != maxMembers+1 {
			continue
		}
		got := o.turns(state, states)
		if n <= maxAlone {
			if len(got) != n || got[i].Address == "" || got[i].Subject != name {
				t.Errorf("%d alone: got %v", n, got)
			}
			continue
		}
		want := n
		if n > maxMembers {
			want = fewMembers
		}
		if len(got) != 1 || int(got[0].Count) != n || len(got[0].Names) != want || got[0].Before != "ADVERTISED" || got[0].After != "PENDING" || !history.NewMatcher(name, nil).Matches(&got[0]) {
			t.Errorf("%d together: got %+v", n, got)
		}
	}
}

// watchEvents returns what a stream sends up to a bookmark, and its token.
func watchEvents(t testing.TB, l *lab, ctx context.Context, req *buoyv1.WatchEventsRequest) (next func() (texts []string, token string)) {
	t.Helper()
	stream, err := l.events.WatchEvents(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return func() (texts []string, token string) {
		t.Helper()
		for {
			resp, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			switch e := resp.Event.(type) {
			case *buoyv1.WatchEventsResponse_Happened:
				texts = append(texts, inventory.ShortName(e.Happened.Subject))
			case *buoyv1.WatchEventsResponse_Lost:
				texts = append(texts, fmt.Sprint("lost ", e.Lost))
			case *buoyv1.WatchEventsResponse_Bookmark:
				return texts, e.Bookmark.ResumeToken
			}
		}
	}
}

// TestWatchEvents: a watch leaves nothing out, also when it is resumed, and says what the
// log has lost.
func TestWatchEvents(t *testing.T) {
	l := newLab(t)
	seen := func(what string) {
		l.history.Record(history.Event{Time: time.Now(), Kind: history.Observed, Subject: "computeNodes/" + what})
	}
	expect := func(next func() ([]string, string), want ...string) (token string) {
		t.Helper()
		var got []string
		for len(got) < len(want) {
			var texts []string
			texts, token = next()
			got = append(got, texts...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		return token
	}
	next := watchEvents(t, l, t.Context(), &buoyv1.WatchEventsRequest{})
	expect(next, "bgp")
	seen("a")
	seen("b")
	token := expect(next, "a", "b")
	only := watchEvents(t, l, as(t.Context(), "dev"), &buoyv1.WatchEventsRequest{For: "c"})
	if texts, _ := only(); len(texts) > 0 {
		t.Errorf("got %q", texts)
	}
	seen("c")
	expect(next, "c")
	expect(only, "c")
	expect(watchEvents(t, l, t.Context(), &buoyv1.WatchEventsRequest{ResumeToken: token}), "c")
	expect(watchEvents(t, l, t.Context(), &buoyv1.WatchEventsRequest{ResumeToken: "0"}), "lost 1", "bgp", "a", "b", "c")
	for token, want := range map[string]codes.Code{"99": codes.OutOfRange, "x": codes.InvalidArgument} {
		stream, err := l.events.WatchEvents(t.Context(), &buoyv1.WatchEventsRequest{ResumeToken: token})
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != want {
			t.Errorf("token %s: %v", token, err)
		}
	}
}

// TestEventsVisible: a project is told of its own and of what belongs to nobody, but not
// who has changed that.
func TestEventsVisible(t *testing.T) {
	dev := viewer("dev")
	author := history.Author{Who: "ann", Agent: "buoyctl", Method: "X.Y"}
	byDev := author
	byDev.Project = "dev"
	own, other := "projects/dev/floatingIps/a", "projects/ops/floatingIps/a"
	for _, tt := range []struct {
		what     string
		e        history.Event
		seen     bool
		who      string
		names    int
		reasoned bool
	}{
		{"its own", history.Event{Subject: own, Author: author, Reason: "r"}, true, "", 0, true},
		{"its own, by itself", history.Event{Subject: own, Author: byDev}, true, "ann", 0, false},
		{"another's", history.Event{Subject: other, Author: byDev}, false, "", 0, false},
		{"another's pool", history.Event{Subject: "projects/ops/networks/n/pools/p"}, false, "", 0, false},
		{"a compute node", history.Event{Subject: cmp1, Author: author, Reason: "r"}, true, "", 0, true},
		{"a binding", history.Event{Subject: "global/poolBinding"}, false, "", 0, false},
		{"what is not known", history.Event{Subject: "things/x"}, false, "", 0, false},
		{"the daemon", history.Event{Kind: history.Started, Author: author}, true, "", 0, false},
		{"missing ones", history.Event{Kind: history.Missing, Count: 7, Reason: "/var/lib"}, true, "", 0, false},
		{"a group", history.Event{Names: []string{own, other}, Count: 2}, true, "", 1, false},
		{"a group of others", history.Event{Names: []string{other}, Count: 1}, false, "", 0, false},
		{"a part of a group", history.Event{Names: []string{own}, Count: 9}, true, "", 1, false},
		{"a part of a group of several", history.Event{Names: []string{own, other}, Count: 9}, false, "", 0, false},
	} {
		e, ok := dev.event(tt.e)
		if ok != tt.seen || ok && (e.Who != tt.who || e.Agent != "" && tt.who == "" || len(e.Names) != tt.names || (e.Reason != "") != tt.reasoned || e.Kind == history.Missing && e.Count > 0) {
			t.Errorf("%s: got %t, %+v", tt.what, ok, e)
		}
		if all, ok := viewer("").event(tt.e); !ok || fmt.Sprint(all) != fmt.Sprint(tt.e) {
			t.Errorf("%s: the operator gets %t, %+v", tt.what, ok, all)
		}
	}
}

// A history that cannot be read is an error.
func TestEventsUnreadable(t *testing.T) {
	l := newLab(t)
	l.stopStore()
	if _, err := l.events.ListEvents(t.Context(), &buoyv1.ListEventsRequest{}); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
