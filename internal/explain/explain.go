package explain

import (
	"fmt"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
)

// answer is an Explanation while it is made.
type answer struct {
	Snapshot
	q Question
	Explanation
}

// Explain answers a question. The error is an *inventory.Error: the address is in
// several networks, and the question names none of them.
func Explain(s Snapshot, q Question) (Explanation, error) {
	a := &answer{Snapshot: s, q: q}
	network, fip, err := a.subject()
	if err != nil {
		return Explanation{}, err
	}
	if fip != nil {
		for i := range fip.Associations {
			a.Paths = append(a.Paths, a.path(network, fip, i))
		}
		if len(fip.Associations) > 0 && network != nil {
			a.WayBack = a.wayBack(network, fip)
		}
	}
	a.conclude()
	return a.Explanation, nil
}

// conclude sums the steps up.
func (a *answer) conclude() {
	for i := range a.Paths {
		a.Healthy = a.Healthy || a.Paths[i].Sent()
	}
	if a.Healthy {
		a.Summary = a.summary()
		return
	}
	worst := a.nearest()
	a.Summary, a.Cause, a.Next = "not reachable: "+worst.Text, worst.ID, worst.Next
}

// nearest returns the failure that is nearest to the goal: among several ways it
// is the one where least is missing.
func (a *answer) nearest() Step {
	if f := chain(a.Steps).failure(); f != nil {
		return *f
	}
	var found Step
	better := func(steps chain) {
		if f := steps.failure(); f != nil && f.ID > found.ID {
			found = *f
		}
	}
	for i := range a.Paths {
		better(a.Paths[i].Steps)
		for j := range a.Paths[i].Hops {
			better(a.Paths[i].Hops[j].Steps)
		}
	}
	return found
}

// summary says of what can be reached how well.
func (a *answer) summary() string {
	places, total := 0, 0
	have, asked := map[string]bool{}, 0
	for i := range a.Paths {
		p := &a.Paths[i]
		total++
		if p.Sent() {
			places++
		}
		asked = max(asked, len(p.Hops))
		for j := range p.Hops {
			if p.Hops[j].Sent() {
				have[p.Hops[j].Neighbor] = true
			}
		}
	}
	text := fmt.Sprintf("reachable as far as Buoy can see: %d of %d neighbors have a route", len(have), asked)
	if total > 1 {
		text += fmt.Sprintf(", to %d of %d compute nodes", places, total)
	}
	if a.q.Neighbor != "" {
		text = fmt.Sprintf("reachable as far as Buoy can see: %s has a route", inventory.ShortName(a.q.Neighbor))
		if total > 1 {
			text += fmt.Sprintf(" to %d of %d compute nodes", places, total)
		}
	}
	if n := a.remarks(); n > 0 {
		text += fmt.Sprintf("; %s", plural(n))
	}
	return text
}

// remarks counts what is not as it should be.
func (a *answer) remarks() (n int) {
	count := func(steps []Step) {
		for _, s := range steps {
			if s.Status == Failed || s.Status == Warning {
				n++
			}
		}
	}
	count(a.Steps)
	count(a.WayBack)
	for i := range a.Paths {
		count(a.Paths[i].Steps)
		for j := range a.Paths[i].Hops {
			count(a.Paths[i].Hops[j].Steps)
		}
	}
	return n
}

// plural says how many steps there is something to say about.
func plural(n int) string {
	if n == 1 {
		return "1 step is not as it should be"
	}
	return fmt.Sprintf("%d steps are not as they should be", n)
}

// listed joins the first things of a list.
func listed(things []string, separator string) string {
	const most = 3
	text := strings.Join(things[:min(len(things), most)], separator)
	if more := len(things) - most; more > 0 {
		text += fmt.Sprintf("%sand %d more", separator, more)
	}
	return text
}
