package inventory

import (
	"testing"
	"time"
)

// drainedAt2 is how a compute node is written, up to its drain.
const drainedAt2 = `put node/computeNodes/cmp1@2 {"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":""`

func TestDrain(t *testing.T) {
	w := newWorld(t)
	w.do(node(cmp1, "10.0.0.11"))
	w.planned("at once", DrainComputeNode{cmp1, 0}, drainedAt2+`,"drain":{"state":"drained"}}`)
	w.planned("with a wait", DrainComputeNode{cmp1, time.Minute}, drainedAt2+`,"drain":{"state":"draining","until":"2001-09-09T01:47:40Z"}}`)
	w.later(time.Nanosecond)
	w.planned("not shorter than the wait", DrainComputeNode{cmp1, time.Minute}, drainedAt2+`,"drain":{"state":"draining","until":"2001-09-09T01:47:41Z"}}`)
	w.planned("was not", UndrainComputeNode{cmp1})
	w.planned("nothing to finish", FinishDrain{cmp1, now})

	until := now.Add(time.Minute + time.Second)
	w.do(DrainComputeNode{cmp1, time.Minute})
	draining := func(name string, c Command, want string) {
		t.Helper()
		w.planned(name, c, `put node/computeNodes/cmp1@3 {"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":""`+want+`}`)
	}
	w.planned("the same again", DrainComputeNode{cmp1, time.Minute})
	draining("another wait", DrainComputeNode{cmp1, time.Hour}, `,"drain":{"state":"draining","until":"2001-09-09T02:46:41Z"}`)
	draining("no more wait", DrainComputeNode{cmp1, 0}, `,"drain":{"state":"drained"}`)
	draining("undrain", UndrainComputeNode{cmp1}, "")
	draining("finish", FinishDrain{cmp1, until}, `,"drain":{"state":"drained"}`)
	draining("set to false", UpdateComputeNode{Name: cmp1, Drained: ptr(false)}, "")
	draining("set to true", UpdateComputeNode{Name: cmp1, Drained: ptr(true)}, `,"drain":{"state":"draining","until":"2001-09-09T01:47:41Z"}`)
	w.planned("finish another one", FinishDrain{cmp1, until.Add(time.Second)})
	w.planned("finish that of none", FinishDrain{cmp2, until})

	w.do(FinishDrain{cmp1, until})
	w.planned("finish it again", FinishDrain{cmp1, until})
	w.planned("drained is drained", DrainComputeNode{cmp1, time.Minute})
	w.do(UndrainComputeNode{cmp1})
	w.planned("undrained is undrained", UndrainComputeNode{cmp1})
	w.planned("a drain that was undone is not finished", FinishDrain{cmp1, until})
}

func TestDrainRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(node(cmp1, "10.0.0.11"))
	w.refused("too long", DrainComputeNode{cmp1, 86_401 * time.Second},
		Error{InvalidArgument, ReasonInvalid, "wait", "", "expected 0..86400 seconds, got 86401"})
	w.refused("back in time", DrainComputeNode{cmp1, -time.Second},
		Error{InvalidArgument, ReasonInvalid, "wait", "", "expected 0..86400 seconds, got -1"})
	for _, c := range []Command{DrainComputeNode{cmp2, 0}, UndrainComputeNode{cmp2}} {
		w.refused("unknown", c, Error{NotFound, ReasonNotFound, "name", cmp2, cmp2 + " does not exist"})
	}
	for _, tt := range []struct {
		liveness Liveness
		want     Error
	}{
		{Liveness{Mode: 2}, Error{InvalidArgument, ReasonInvalid, "liveness", "", "expected none or session, got 2"}},
		{Liveness{HoldTime: 2}, Error{InvalidArgument, ReasonInvalid, "hold_time", "", "expected 3..3600 seconds, or 0 for 30, got 2"}},
		{Liveness{HoldTime: 3601}, Error{InvalidArgument, ReasonInvalid, "hold_time", "", "expected 3..3600 seconds, or 0 for 30, got 3601"}},
		{Liveness{StaleTime: 86401}, Error{InvalidArgument, ReasonInvalid, "stale_time", "", "expected at most 86400 seconds, got 86401"}},
	} {
		w.refused("create", CreateComputeNode{ComputeNode{Name: cmp2, Address: addr("10.0.0.12"), Liveness: tt.liveness}}, tt.want)
		w.refused("update", UpdateComputeNode{Name: cmp1, Liveness: &tt.liveness.Mode, HoldTime: &tt.liveness.HoldTime, StaleTime: &tt.liveness.StaleTime}, tt.want)
	}
}

// TestDrainedRoutes: what becomes of the routes, and only of those at the node.
func TestDrainedRoutes(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), node(cmp2, "10.0.0.12"), allocate(web, public, "203.0.113.5"),
		associate(web, cmp1, "tap0", 100), associate(web, cmp2, "tap0", 100))
	routes := func(when string, want ...string) {
		t.Helper()
		f, _ := w.state.FloatingIP(web)
		var got []string
		for _, r := range w.state.RoutesOf(f) {
			text := r.RD.String()
			if r.LocalPref == 0 {
				text += " last"
			}
			if r.GracefulShutdown {
				text += " shutdown"
			}
			got = append(got, text)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: got %q, want %q", when, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
	}
	routes("before", "10.0.0.11:1", "10.0.0.12:1")
	w.do(DrainComputeNode{cmp1, time.Minute})
	routes("draining", "10.0.0.11:1 last shutdown", "10.0.0.12:1")
	w.do(FinishDrain{cmp1, now.Add(time.Minute)})
	routes("drained", "10.0.0.12:1")
	f, _ := w.state.FloatingIP(web)
	if got := w.state.Standing(&f.Associations[0], nil).Withheld; got != "computeNodes/cmp1 is drained" {
		t.Errorf("withheld: %q", got)
	}
	before := w.state.Snapshot()
	w.do(UndrainComputeNode{cmp1})
	routes("undrained", "10.0.0.11:1", "10.0.0.12:1")
	changes := RouteChanges(before, w.state, []string{cmp1}, func(*FloatingIP) bool { return true })
	if len(changes) != 1 || changes[0].Before != nil || changes[0].After.RD.String() != "10.0.0.11:1" {
		t.Errorf("the undrain changes %+v", changes)
	}
}

// TestPutComputeNodeDrain: a description that says nothing of the drain leaves it.
func TestPutComputeNodeDrain(t *testing.T) {
	w := newWorld(t)
	put := func(drained *bool) Wanted {
		n := ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), Liveness: Liveness{Session, 30, 0}}
		return PutComputeNode{n, drained}
	}
	state := func(when string, want DrainState) {
		t.Helper()
		if n, _ := w.state.ComputeNode(cmp1); n.Drain.State != want || n.Liveness != (Liveness{Session, 0, 0}) {
			t.Errorf("%s: got %+v, want %s", when, n, want)
		}
	}
	w.do(configure(put(nil)))
	state("created", NotDrained)
	w.do(DrainComputeNode{cmp1, time.Minute})
	w.planned("nothing said", configure(put(nil)))
	w.planned("draining is drained", configure(put(ptr(true))))
	w.do(configure(put(ptr(false))))
	state("false", NotDrained)
	w.do(configure(put(ptr(true))))
	state("true", Drained)
	w.planned("nothing said of a drained one", configure(put(nil)))
	w.do(DeleteComputeNode{cmp1}, configure(put(ptr(true))))
	state("created drained", Drained)
}

func TestLivenessMode(t *testing.T) {
	for text, want := range map[string]LivenessMode{"none": Vouched, "session": Session} {
		if got, err := ParseLivenessMode(text); got != want || err != nil || got.String() != text {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	if _, err := ParseLivenessMode("always"); err == nil || err.Error() != `expected none, session, got "always"` {
		t.Errorf("got %v", err)
	}
}
