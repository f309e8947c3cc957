package inventory

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", 0, "of the random test; 0 takes a new one")
	steps = flag.Int("steps", 10_000, "of the random test")
)

// TestRandom carries out random commands against the model, one by one or
// several in one draft. A part of them is planned on an outdated state: those
// must conflict, or still be right.
func TestRandom(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test -run TestRandom -seed %d", *seed)
	r := random{
		TB:        t,
		world:     newWorld(t, &Neighbor{Settings: modelStatic}),
		model:     newModel(),
		generator: generator{Rand: rand.New(rand.NewPCG(*seed, 1))},
		count:     map[string]int{},
	}
	r.generator.model = r.model
	for step := range *steps {
		r.tick()
		r.generator.ebb = step%500 > 475
		commands := []Command{r.command()}
		if r.IntN(4) == 0 {
			for range 1 + r.IntN(6) {
				commands = append(commands, r.command())
			}
		}
		r.step(&stepLog{t, func() string { return fmt.Sprintf("step %d: %s", step, describe(commands)) }}, commands)
		if step%250 == 0 {
			r.restart(&stepLog{t, func() string { return fmt.Sprintf("restart after step %d", step) }})
		}
	}
	r.count["rested"] = r.model.rested
	for _, event := range events {
		if r.count[event]+r.count["refused: "+event] == 0 {
			t.Errorf("%s has not happened", event)
		}
	}
	t.Logf("%d revisions: %v", r.world.store.revision, r.count)
}

// random is a run of the random test.
type random struct {
	testing.TB
	world *world
	model *model
	generator
	old   []*State // the newest is last
	count map[string]int
}

func describe(commands []Command) string {
	var texts []string
	for _, c := range commands {
		texts = append(texts, fmt.Sprintf("%T%+v", c, c))
	}
	return strings.Join(texts, "\n  then ")
}

// tick lets time go by. Now and then somebody sets the clock.
func (r *random) tick() {
	d := time.Duration(r.IntN(4000)) * time.Millisecond
	if r.IntN(100) == 0 {
		d = pick(r.generator, time.Hour, -time.Hour, -10*time.Second, -3*time.Second, -90*time.Second)
	}
	r.world.later(d)
	r.model.now = r.world.now
}

// step plans and commits commands, and compares.
func (r *random) step(t *stepLog, commands []Command) {
	state, stale := r.world.state, r.IntN(4) == 0 && len(r.old) > 0
	if stale {
		state = r.old[max(0, len(r.old)-1-r.IntN(r.IntN(len(r.old))+1))]
	}
	drafts := []*Draft{NewDraft(state, r.world.now)}
	var done []func() // once it is committed
	for _, c := range commands {
		d := drafts[len(drafts)-1]
		if !stale && r.IntN(4) == 0 && r.writes(d) {
			drafts = append(drafts, r.next(t, d))
			d = drafts[len(drafts)-1]
		}
		mutations, refusal := r.plan(t, d, state, c, len(commands) > 1)
		out := outcomeOf(mutations, stale)
		judge := func() {
			r.count[fmt.Sprintf("%T", c)]++
			if broken := r.model.do(c, out); broken != nil {
				t.Fatalf("%T%+v was carried out (stale: %t); the model says %q\n%s", c, c, stale, broken, text(mutations))
			}
		}
		switch {
		case refusal != nil && stale:
			r.count["stale, refused"]++
		case refusal != nil:
			r.refused(t, c, refusal)
			if len(commands) > 1 {
				r.count["refused in a draft"]++
			}
		case stale && len(mutations) == 0: // it was so then
		case stale:
			done = append(done, judge)
		default:
			judge()
		}
	}
	newest := state.Revision() == r.world.state.Revision()
	for _, d := range drafts {
		if !r.commit(t, d.Mutations(), stale, newest, len(commands) > 1) {
			return
		}
	}
	for _, judge := range done {
		judge()
	}
	if len(r.old) == 0 || r.old[len(r.old)-1].Revision() < r.world.state.Revision() {
		compare(t, r.world, r.model)
		r.old = append(r.old[max(0, len(r.old)-15):], r.world.state.Snapshot())
	}
}

// writes reports whether a draft is sure to change the store.
func (r *random) writes(d *Draft) bool {
	return slices.ContainsFunc(d.Mutations(), func(m Mutation) bool { return m.Op == Put })
}

// next goes on before a draft is committed.
func (r *random) next(t *stepLog, d *Draft) *Draft {
	next, err := d.Next(r.world.now)
	if err != nil {
		t.Fatalf("%v", err)
	}
	r.count["draft upon draft"]++
	return next
}

// commit reports whether there was no conflict.
func (r *random) commit(t *stepLog, mutations []Mutation, stale, newest, several bool) bool {
	kind := "stale"
	if several {
		kind = "stale draft"
	}
	changes, conflict := r.world.store.commit(mutations)
	switch {
	case conflict != "" && !stale:
		t.Fatalf("planned on the newest state and in conflict on %s\n%s", conflict, text(mutations))
	case conflict != "":
		r.count[kind+", conflict"]++
		return false
	case stale && !newest && len(changes) > 0:
		r.count[kind+", carried out"]++
	case several && !stale:
		r.count["draft, carried out"]++
	}
	if _, err := r.world.state.Apply(r.world.store.revision, changes); err != nil {
		t.Fatalf("%v", err)
	}
	return true
}

// plan plans one command as part of a draft. One that is alone is also planned
// without, and must come to the same.
func (r *random) plan(t *stepLog, d *Draft, state *State, c Command, several bool) ([]Mutation, *Error) {
	var alone []Mutation
	if !several {
		alone, _ = Plan(state, r.world.now, c)
	}
	var refusal *Error
	if err := d.Do(c); err != nil && !errors.As(err, &refusal) {
		t.Fatalf("the error is %T: %v", err, err)
	}
	if refusal != nil {
		return nil, refusal
	}
	if !several && text(alone) != text(d.last) {
		t.Fatalf("without a draft:\n%s\nwith one:\n%s", text(alone), text(d.last))
	}
	return d.last, nil
}

// refused judges a refusal, and what it tells.
func (r *random) refused(t *stepLog, c Command, refusal *Error) {
	r.count["refused: "+refusal.Reason]++
	if broken := r.model.do(c, nil); !slices.Contains(broken, refusal.Reason) {
		t.Fatalf("%T%+v was refused by %s (%s); the model says %q", c, c, refusal.Reason, refusal, broken)
	}
	a, ok := c.(Allocate)
	if !ok {
		return
	}
	project := projectRule(a.Name)
	for name, f := range r.model.floating {
		if projectRule(name) != project && projectRule(f.Network) != project && strings.Contains(refusal.Error()+refusal.Resource, name) {
			t.Fatalf("the refusal tells project %s of %s: %s", project, name, refusal)
		}
	}
	for name := range r.model.pools {
		if !r.model.mayUse(project, name) && name != a.Pool && strings.Contains(refusal.Error()+refusal.Resource, name) {
			t.Fatalf("the refusal tells project %s of %s: %s", project, name, refusal)
		}
	}
}

// restart begins anew with what the store holds, and maybe another
// configuration file.
func (r *random) restart(t *stepLog) {
	want := dump(r.world.state)
	r.world.restart()
	if got := dump(r.world.state); got != want {
		t.Fatalf("\n got %s\nwant %s", got, want)
	}
	r.model.filePool = pick(r.generator, "", "", poolA, public+"/pools/public")
	r.world.static.GlobalPool = r.model.filePool
	r.world.restart()
	r.old = nil
	compare(t, r.world, r.model)
}

// stepLog says which step a failure belongs to.
type stepLog struct {
	testing.TB
	step func() string
}

func (s *stepLog) Fatalf(format string, args ...any) {
	s.Helper()
	s.TB.Fatalf("%s\n%s", s.step(), fmt.Sprintf(format, args...))
}
