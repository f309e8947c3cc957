package inventory

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func once(id string, c Command, names ...string) Once {
	return Once{ID: id, Digest: fmt.Sprintf("%T%v", c, c), Names: names, Command: c}
}

// TestOnce: the second time nothing is done, and the answer is the first one,
// also after a restart and whatever has happened since.
func TestOnce(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"))
	first := once("1", Allocate{Name: web, Network: public}, web)
	w.do(first)
	given, _ := w.state.FloatingIP(web)
	w.do(associate(web, cmp1, "tap0", 100), allocate(mail, public, "203.0.113.9"))
	check := func(when string) {
		t.Helper()
		w.planned(when, first)
		then, err := w.state.Answered(first)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		got, ok := then.FloatingIP(web)
		if !ok || got.Address != given.Address || len(got.Associations) > 0 || got.Version != given.Version {
			t.Errorf("%s: got %+v, want %+v", when, got, given)
		}
		if _, ok := then.FloatingIP(mail); !ok {
			t.Errorf("%s: others are not there", when)
		}
	}
	check("later")
	w.restart()
	check("after a restart")
	w.do(Disassociate{Name: web}, once("2", Release{web}, web))
	check("released since")
	w.planned("the release again", once("2", Release{web}, web))
	if then, err := w.state.Answered(once("2", Release{web}, web)); err != nil {
		t.Error(err)
	} else if _, ok := then.FloatingIP(web); ok {
		t.Error("it was released")
	}

	w.refused("another request", once("1", Allocate{Name: mail, Network: public}, mail), Error{Code: InvalidArgument, Reason: ReasonRequestID,
		Field: "request_id", Message: `"1" was the id of another request; expected a new one`})
	other := first
	other.Scope = "p"
	w.do(other) // somebody else's id
	w.do(once("3", SetGlobal{AS: 64512}, GlobalName))
	then, err := w.state.Answered(once("3", SetGlobal{AS: 64512}, GlobalName))
	if g, _ := then.Global(); err != nil || g.AS != 64512 || g.Version == Version(w.store.revision) {
		t.Errorf("what changed nothing: got %+v, %v", g, err)
	}
	w.refused("refused", once("4", Release{fip("none")}), *notFound("name", fip("none")))
	w.do(Allocate{Name: fip("none"), Network: public}, once("4", Release{fip("none")}, fip("none"))) // a refusal is not kept
	w.restart()
}

// TestOnceUnchanged: the answer is what came of it, also of a change that depends
// on what was read.
func TestOnceUnchanged(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), Allocate{Name: web, Network: public}, associate(web, cmp1, "tap0", 100))
	etag, _ := w.state.EtagOf(web)
	c := once("1", IfUnchanged{web, etag, Disassociate{Name: web}}, web)
	w.do(c)
	w.planned("again", c)
	then, err := w.state.Answered(c)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := then.FloatingIP(web); !ok || len(f.Associations) > 0 {
		t.Errorf("got %+v", f)
	}
}

// TestOnceInDraft: two that come together are one.
func TestOnceInDraft(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"))
	c := once("1", Allocate{Name: web, Network: public}, web)
	w.commit(w.draft(c, c, c))
	if _, ok := w.state.FloatingIP(web); !ok {
		t.Error("it was not carried out")
	}
	w.planned("again", c)
}

// TestAnswersGo: answers are kept for a time, and so many at most.
func TestAnswersGo(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "20.0.0.0/8"))
	allocation := func(i int) Once { return once(fmt.Sprint(i), Allocate{Name: fip(i), Network: public}, fip(i)) }
	for i := range 10 {
		w.do(allocation(i))
		w.later(time.Hour)
	}
	w.later(AnswerTime - 10*time.Hour)
	w.do(allocation(10)) // the first is as old as it may be
	if n := w.state.answers.Len(); n != 10 {
		t.Errorf("%d answers, want 10", n)
	}
	w.refused("its answer is gone", allocation(0), Error{Code: AlreadyExists, Reason: ReasonExists, Field: "name", Resource: fip(0),
		Message: fip(0) + " exists with address 20.0.0.1"})
	w.later(-2 * AnswerTime) // a clock that was set
	w.do(allocation(11))
	w.later(10 * AnswerTime)

	names := make([]string, MaxAnswers-1)
	for i := range names {
		names[i] = fip(i)
	}
	w.do(Once{ID: "many", Digest: "x", Names: names, Command: Batch{}})
	w.later(time.Second)
	w.do(allocation(12))
	answered := func() int {
		n, _ := w.state.answered.Get("")
		return n
	}
	if answered() != MaxAnswers || w.state.answers.Len() != 2 {
		t.Errorf("%d answers of %d resources", w.state.answers.Len(), answered())
	}
	theirs := allocation(14)
	theirs.Scope = "p" // which makes nobody else forget
	w.do(theirs)
	if answered() != MaxAnswers {
		t.Errorf("%d resources after an answer to somebody else", answered())
	}
	w.do(allocation(13))
	if answered() != 2 {
		t.Errorf("%d resources, want 2: the oldest has gone", answered())
	}
	w.restart()
	if answered() != 2 {
		t.Errorf("%d resources after a restart", answered())
	}
	w.planned("theirs again", theirs)
}

// TestOnceRandom: commands that are repeated now and then, alone or together, lead
// to the same as commands that are not.
func TestOnceRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	plain, repeating := newWorld(t), newWorld(t)
	g := generator{Rand: rand.New(rand.NewPCG(seed, 1)), model: newModel()}
	var past []Once
	for i := range 2000 {
		c := g.command()
		mutations, err := Plan(plain.state, plain.now, c)
		d := NewDraft(repeating.state, repeating.now)
		o := once(fmt.Sprint(i), c)
		if again := d.Do(o); (again == nil) != (err == nil) {
			t.Fatalf("%T%+v: got %v, want %v", c, c, again, err)
		}
		if err == nil {
			past = append(past, o)
			plain.commit(mutations)
		}
		for range g.IntN(3) {
			if len(past) > 0 {
				if err := d.Do(past[g.IntN(len(past))]); err != nil {
					t.Fatalf("again: %v", err)
				}
			}
		}
		repeating.commit(d.Mutations())
		for _, w := range []*world{plain, repeating} {
			w.later(time.Second)
		}
	}
	if got, want := values(repeating), values(plain); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// values shows what the store holds, without answers.
func values(w *world) string {
	var b strings.Builder
	for _, c := range w.store.content() {
		if !strings.HasPrefix(c.Key, answerPrefix) {
			fmt.Fprintf(&b, "%s = %s\n", c.Key, c.Value)
		}
	}
	return b.String()
}
