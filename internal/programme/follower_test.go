package programme

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

const wide = "projects/default/networks/wide"

// text says what is in a part, in short.
func text(p inventory.Programme) string {
	var parts []string
	add := func(what string, n int) {
		if n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", what))
		}
	}
	if p.BeginOfSnapshot {
		parts = append(parts, "begin")
	}
	add("removed", len(p.RemovedFloatingIPs))
	add("networks removed", len(p.RemovedNetworks))
	add("withdrawn", len(p.Withdrawn))
	add("floating IPs", len(p.FloatingIPs))
	add("routes", len(p.Routes))
	if p.EndOfFloatingIPs {
		parts = append(parts, "end of floating IPs")
	}
	if p.EndOfRoutes {
		parts = append(parts, "end of routes")
	}
	if p.ResumeToken != "" {
		parts = append(parts, "token")
	}
	return strings.Join(parts, ", ")
}

// expect reads what there is and compares the parts.
func (m *mirror) expect(what string, want ...string) {
	m.Helper()
	var got []string
	for {
		p, ok := m.follower.next()
		if !ok {
			break
		}
		m.follower.beginning = false
		got = append(got, text(p))
		m.take(p)
	}
	if !slices.Equal(got, want) {
		m.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// furnished has a floating IP on cmp1 and a route in its network.
func furnished(t testing.TB) (*world, *mirror) {
	w := newWorld(t).basics()
	w.do(inventory.Allocate{Name: web, Network: red}, associate(web, cmp1))
	w.announce("0.0.0.0/0", 100)
	return w, newMirror(t, cmp1)
}

// TestSnapshot: floating IPs and routes, whose end waits for the gateways; what changes
// meanwhile comes without a token.
func TestSnapshot(t *testing.T) {
	w, m := furnished(t)
	if m.connect(w.followers) {
		t.Error("without a token the stream is said to be resumed")
	}
	m.expect("at first", "begin, 1 floating IPs, end of floating IPs", "1 routes")
	w.announce("198.51.100.0/24", 101)
	w.do(inventory.Allocate{Name: mail, Network: blue}, associate(mail, cmp1))
	m.expect("more", "1 routes", "1 floating IPs", "2 routes")
	close(w.complete)
	m.expect("complete", "end of routes, token")
	w.announce("198.51.100.0/24", 0)
	m.expect("live", "2 withdrawn, token")
	if got, want := m.text(), w.want(cmp1); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	empty := newMirror(t, cmp2)
	empty.connect(w.followers)
	empty.expect("a node without anything", "begin, end of floating IPs", "end of routes, token")
}

// TestChanges: what changed ten times is told once; what is no longer the node's goes,
// and so does its network.
func TestChanges(t *testing.T) {
	w, m := furnished(t)
	close(w.complete)
	m.connect(w.followers)
	m.read(-1)
	for label := range 10 {
		w.announce("0.0.0.0/0", vrf.Label(201+label))
		w.do(inventory.Move{Name: web, Association: inventory.Association{ComputeNode: cmp1, Interface: fmt.Sprint("tap", label), FixedIP: addr("10.47.0.9")}})
	}
	m.expect("ten times", "1 routes", "1 floating IPs, token")
	w.do(inventory.Allocate{Name: mail, Network: blue}, associate(mail, cmp2))
	m.expect("what is of others")
	w.do(inventory.Disassociate{Name: web})
	m.expect("the last one of a network", "1 removed, 1 networks removed, token")
	w.announce("198.51.100.0/24", 100)
	m.expect("in no network of its own")
}

// TestRevision: it is told once everything that belongs to it was, routes that wait for
// gateways excepted.
func TestRevision(t *testing.T) {
	w, m := furnished(t)
	m.connect(w.followers)
	expect := func(what string, messages int, want uint64) {
		t.Helper()
		m.read(messages)
		if m.revision != want {
			t.Errorf("%s: revision %d, want %d", what, m.revision, want)
		}
	}
	expect("the floating IPs alone", 1, 0)
	first := w.State().Revision()
	expect("with their routes", 1, first)
	w.do(inventory.Allocate{Name: mail, Network: blue}, associate(mail, cmp1))
	expect("one in another network", 1, first)
	last := w.State().Revision()
	expect("with the routes there", 1, last)
	w.do(inventory.Allocate{Name: "projects/default/floatingIps/other", Network: blue}, associate("projects/default/floatingIps/other", cmp2))
	expect("one elsewhere", -1, last)
	w.do(inventory.Disassociate{Name: mail})
	expect("one leaves", -1, w.State().Revision())
	empty := newMirror(t, cmp1)
	w.announce("0.0.0.0/0", 0)
	empty.connect(w.followers)
	empty.read(-1)
	if empty.revision != w.State().Revision() {
		t.Errorf("without routes: revision %d, want %d", empty.revision, w.State().Revision())
	}
}

// TestLarge: parts have a bounded size, and the token comes with the last one.
func TestLarge(t *testing.T) {
	w, m := furnished(t)
	close(w.complete)
	var batch inventory.Batch
	for i := range partSize {
		name := fmt.Sprint("projects/default/floatingIps/f", i)
		batch = append(batch, inventory.Allocate{Name: name, Network: wide}, associate(name, cmp1))
		w.announce(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), 100)
	}
	w.do(inventory.CreateNetwork{Network: inventory.Network{Name: wide, Subnets: []netip.Prefix{netip.MustParsePrefix("20.0.0.0/16")}}}, batch)
	m.connect(w.followers)
	m.expect("two networks", "begin, 1000 floating IPs", "1 floating IPs, end of floating IPs", "1000 routes", "1 routes", "1000 routes", "1 routes", "end of routes, token")
	batch = nil
	for i := range partSize {
		batch = append(batch, inventory.Disassociate{Name: fmt.Sprint("projects/default/floatingIps/f", i)})
	}
	w.do(batch)
	m.expect("in one commit, behind the log", "begin, 1 floating IPs, end of floating IPs", "1000 routes", "1 routes", "end of routes, token")
}

// TestResume: only what has changed meanwhile is told, by place and by content.
func TestResume(t *testing.T) {
	w, m := furnished(t)
	close(w.complete)
	w.do(inventory.Allocate{Name: mail, Network: red}, associate(mail, cmp1))
	m.connect(w.followers)
	m.read(-1)

	if !m.connect(w.followers) {
		t.Fatal("at once: not resumed")
	}
	m.expect("nothing has changed", "token")

	m.disconnect()
	w.do(inventory.Disassociate{Name: mail}, inventory.Allocate{Name: "projects/default/floatingIps/new", Network: blue}, associate("projects/default/floatingIps/new", cmp1))
	w.announce("0.0.0.0/0", 101)
	if !m.connect(w.followers) {
		t.Fatal("later: not resumed")
	}
	m.expect("one has gone, one has come with its network", "1 removed, 1 floating IPs", "1 routes, token", "2 routes, token")
	if got, want := m.text(), w.want(cmp1); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNotResumed: after a restart, when too much has changed, and when a network of the
// node was changed itself, there is a snapshot; what is no token is refused.
func TestNotResumed(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"a restart": func(w *world) { w.restart(); w.announce("0.0.0.0/0", 100); close(w.complete) },
		"many routes changed": func(w *world) {
			for i := range keptInTests + 1 {
				w.announce(fmt.Sprintf("198.51.%d.0/24", i), 100)
			}
		},
		"many resources changed": func(w *world) {
			for range keptInTests {
				w.do(inventory.Disassociate{Name: web}, associate(web, cmp1))
			}
		},
		"its network": func(w *world) { w.do(inventory.UpdateNetwork{Name: red, External: new(true)}) },
		"the node":    func(w *world) { w.do(inventory.UpdateComputeNode{Name: cmp1, LabelHoldDown: new(uint32(7))}) },
	} {
		t.Run(name, func(t *testing.T) {
			w, m := furnished(t)
			close(w.complete)
			m.connect(w.followers)
			m.read(-1)
			m.disconnect()
			change(w)
			if m.connect(w.followers) {
				t.Error("it is resumed")
			}
			m.read(-1)
			if got, want := m.text(), w.want(cmp1); m.snapshotBegan != 2 || !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	w, _ := furnished(t)
	for _, token := range []string{"x", "1", "-x-1", "1-x", "1-x-y", "1--2"} {
		if _, _, err := w.followers.Follow(cmp1, token, nil, nil); err == nil || !strings.Contains(err.Error(), "expected the last resume_token of an earlier stream, or none, got") {
			t.Errorf("%q: got %v", token, err)
		}
	}
}

// TestTooSlow: a node that is further behind than the logs gets a snapshot in the same
// stream.
func TestTooSlow(t *testing.T) {
	w, m := furnished(t)
	close(w.complete)
	m.connect(w.followers)
	m.read(-1)
	for i := range 2 * keptInTests {
		w.announce(fmt.Sprintf("198.51.%d.0/24", i), 100)
	}
	m.expect("behind the log", "begin, 1 floating IPs, end of floating IPs", fmt.Sprint(2*keptInTests+1, " routes"), "end of routes, token")
}

// TestNext: Run wakes those whom something concerns, and nobody else.
func TestNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := furnished(t)
		other := newMirror(t, cmp2)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.followers.Run(ctx) }()
		synctest.Wait()
		m.connect(w.followers)
		other.connect(w.followers)
		m.read(-1)
		other.read(-1)
		parts := make(chan string)
		go func() {
			for {
				p, err := m.follower.Next(ctx)
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
					close(parts)
					return
				}
				parts <- text(p)
			}
		}()
		synctest.Wait()
		for _, tt := range []struct {
			do   func()
			want string
		}{
			{func() { w.announce("198.51.100.0/24", 100) }, "1 routes"},
			{func() { close(w.complete) }, "end of routes, token"},
			{func() { w.do(inventory.Allocate{Name: mail, Network: red}, associate(mail, cmp1)) }, "1 floating IPs, token"},
			{func() { w.do(inventory.Disassociate{Name: mail}) }, "1 removed, token"},
			{func() { w.announce("198.51.100.0/24", 0) }, "1 withdrawn, token"},
		} {
			other.read(-1)
			for len(other.follower.woken) > 0 {
				<-other.follower.woken
			}
			tt.do()
			if got := <-parts; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			synctest.Wait()
			if woken := len(other.follower.woken) > 0; woken != strings.HasPrefix(tt.want, "end of routes") {
				t.Errorf("%s: the other node was woken: %t", tt.want, woken)
			}
		}
		cancel()
		if _, more := <-parts; more {
			t.Error("there is more")
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
