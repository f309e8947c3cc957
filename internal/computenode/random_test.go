package computenode

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

var seed = flag.Uint64("seed", 0, "of the random test; 0 takes a new one")

const (
	randomNodes      = 3
	randomInterfaces = 4
)

// TestRandom opens streams, reports, says nothing, closes, changes policies, deletes,
// sets the clock and crashes, at random. Every second the model agrees, and those
// places and no others are told whose routes differ.
func TestRandom(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test -run TestRandom -seed %d", *seed)
	r := &random{world: newWorld(t, nil), g: rand.New(rand.NewPCG(*seed, 1)), model: model{nodes: map[string]*modelNode{}}}
	r.start()
	r.standing = r.stand()
	steps := 6000
	if testing.Short() {
		steps = 1000
	}
	for step := range steps {
		what := r.step()
		if r.compare(); t.Failed() {
			t.Fatalf("in step %d: %s", step, what)
		}
	}
}

type random struct {
	*world
	g        *rand.Rand
	model    model
	standing map[inventory.Place]string // of every place, as it was told last
}

func (r *random) start() {
	r.world.start()
	r.Nodes.log = slog.New(slog.DiscardHandler)
}

func (r *random) step() string {
	name := fmt.Sprint("computeNodes/cmp", r.g.IntN(randomNodes))
	n, known := r.model.nodes[name]
	switch op := r.g.IntN(100); {
	case op < 40:
		return r.pass(1 + r.g.IntN(4))
	case op < 42:
		return r.pass(r.g.IntN(100))
	case op < 45:
		return r.put(name)
	case op < 46:
		r.feed.remove(name)
		r.follow()
		if known && n.session != nil {
			r.ended(n.session, ErrDeleted)
		}
		delete(r.model.nodes, name)
		return "delete " + name
	case op < 48:
		set := r.g.IntN(200) - 100
		r.wall += time.Duration(set) * time.Second
		r.model.wall += set
		return fmt.Sprintf("set the clock by %d s", set)
	case op < 50:
		r.restart()
		r.model.restart()
		r.standing = r.stand() // who reads begins anew, too
		return "crash"
	case !known:
		if _, err := r.Open(name, "", ""); !errors.Is(err, ErrUnknown) {
			r.Errorf("got %v, want %v", err, ErrUnknown)
		}
		return "open an unknown one"
	case n.session == nil || op < 53:
		s, err := r.Open(name, "", "")
		if err != nil {
			r.Fatal(err)
		}
		if n.session != nil {
			r.ended(n.session, ErrReplaced)
		}
		r.model.open(n, s)
		return "open " + name
	case op < 56:
		n.session.Close(io.EOF)
		r.ended(n.session, io.EOF)
		r.model.lose(n)
		return "close " + name
	case op < 62:
		n.session.Heard()
		n.heard = r.model.now
		return "keep alive " + name
	case op < 70:
		return r.flap(name, n)
	default:
		return r.say(name, n)
	}
}

// flap takes an interface down and up again.
func (r *random) flap(name string, n *modelNode) string {
	times, tap := 1+r.g.IntN(4), fmt.Sprint("tap", r.g.IntN(randomInterfaces))
	for range times {
		for _, state := range []inventory.InterfaceState{inventory.InterfaceDown, inventory.InterfaceUp} {
			list := []inventory.InterfaceReport{{Name: tap, State: state}}
			if err := n.session.Report(list, false); err != nil {
				r.Fatal(err)
			}
			r.model.report(n, list, false)
			r.compare()
		}
	}
	return fmt.Sprintf("%s of %s flaps %d times", tap, name, times)
}

// restart goes by the clock of the model, which does not begin anew.
func (r *random) restart() {
	if err := r.flush(); err != nil {
		r.Fatal(err)
	}
	r.start()
}

func (r *random) pass(seconds int) string {
	for range seconds {
		ended := r.model.pass()
		r.sleep(time.Second)
		for _, s := range ended {
			r.ended(s, ErrSilent)
		}
		if r.compare(); r.Failed() {
			break
		}
	}
	return fmt.Sprintf("%d s pass", seconds)
}

func (r *random) ended(s *Session, want error) {
	select {
	case <-s.Done():
		if err := s.Err(); !errors.Is(err, want) {
			r.Errorf("a session ended with %v, want %v", err, want)
		}
	default:
		r.Errorf("a session has not ended, want %v", want)
	}
}

func (r *random) put(name string) string {
	policy := inventory.Liveness{Mode: inventory.LivenessMode(min(1, r.g.IntN(4))), HoldTime: uint32(r.g.IntN(3) * 7), StaleTime: uint32(r.g.IntN(3) * 15)}
	r.feed.put(name, policy)
	r.follow()
	if n, ok := r.model.nodes[name]; ok {
		before := n.policy
		n.policy = policy
		r.model.settle(n)
		r.tick(0) // a hold time may be over by now
		for _, s := range r.model.due() {
			r.ended(s, ErrSilent)
		}
		if before.Mode != policy.Mode { // the store's feed tells about that
			maps.Copy(r.standing, r.standOf(name))
			r.Take()
		}
	} else {
		r.model.nodes[name] = &modelNode{policy: policy, interfaces: map[string]*modelInterface{}}
		maps.Copy(r.standing, r.standOf(name))
	}
	return fmt.Sprintf("put %s with %+v", name, policy)
}

func (r *random) say(name string, n *modelNode) string {
	var list []inventory.InterfaceReport
	for i := range randomInterfaces {
		if r.g.IntN(3) > 0 {
			continue
		}
		list = append(list, inventory.InterfaceReport{
			Name: fmt.Sprint("tap", i), State: inventory.InterfaceState(max(1, r.g.IntN(5)-1)), Preference: inventory.Preference(max(0, r.g.IntN(12)-9))})
	}
	complete := r.g.IntN(6) == 0
	if err := n.session.Report(list, complete); err != nil {
		r.Fatal(err)
	}
	r.model.report(n, list, complete)
	return fmt.Sprintf("%s reports %v, complete %t", name, list, complete)
}
