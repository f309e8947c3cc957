package api

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	maxAlone   = 100  // floating IPs of one look that have events of their own
	maxMembers = 1000 // of a group that are all named
	fewMembers = 10   // that are named of a larger one
	maxGroups  = 256  // of one look, before projects are told together
	maxReasons = 16   // for which one loss of a session is told again
)

// chronicle is what the observer has seen and the history is yet to be told. It is
// guarded by observer.mu.
type chronicle struct {
	events  []history.Event
	states  map[string]turn            // of floating IPs, since the last time
	swept   bool                       // all floating IPs were looked at once
	reasons map[string]map[string]bool // for which each neighbor is down, as far as they were told
}

// turn is a change of a state.
type turn struct{ before, after buoyv1.FloatingIP_State }

func newChronicle() chronicle {
	return chronicle{states: map[string]turn{}, reasons: map[string]map[string]bool{}}
}

// turnedLocked notes that a floating IP is in another state. What comes and goes between
// two times is not told.
func (o *observer) turnedLocked(name string, before, after buoyv1.FloatingIP_State) {
	if o.History == nil {
		return
	}
	if t, ok := o.states[name]; ok {
		before = t.before
	}
	if before == after {
		delete(o.states, name)
		return
	}
	o.states[name] = turn{before, after}
	o.wakeUp()
}

// neighborLocked notes that a session came or went, and each reason why it is not back.
func (o *observer) neighborLocked(name string, before, after standing) {
	up := after.state == buoyv1.Neighbor_ESTABLISHED
	switch was := before.state == buoyv1.Neighbor_ESTABLISHED; {
	case o.History == nil:
		return
	case up && was:
		return
	case up:
		delete(o.reasons, name)
	case was:
		o.reasons[name] = map[string]bool{after.reason: true}
	default:
		told := o.reasons[name]
		if told == nil {
			told = map[string]bool{}
			o.reasons[name] = told
		}
		if after.reason == "" || told[after.reason] || len(told) == maxReasons {
			return
		}
		told[after.reason] = true
	}
	o.noteLocked(history.Event{Subject: name, Before: before.state.String(), After: after.state.String(), Reason: after.reason})
}

// nodeLocked notes that the stream of a compute node came or went.
func (o *observer) nodeLocked(name string, before, after nodeStanding) {
	if o.History == nil || before.state == after.state {
		return
	}
	e := history.Event{Subject: name, After: stateWord(after.state), Before: stateWord(before.state), Reason: after.reason}
	if after.state == buoyv1.ComputeNode_UP {
		e.Author = history.Author{Who: inventory.ShortName(name), Agent: after.agent}
		e.Reason = cmp.Or(after.reason, "from "+after.address)
	}
	o.noteLocked(e)
}

func stateWord(s buoyv1.ComputeNode_State) string {
	if s == buoyv1.ComputeNode_STATE_UNSPECIFIED {
		return ""
	}
	return s.String()
}

func (o *observer) noteLocked(e history.Event) {
	e.Kind, e.Time = history.Observed, time.Now()
	o.events = append(o.events, e)
	o.wakeUp()
}

// tell tells the history what was seen since the last time.
func (o *observer) tell() {
	if o.History == nil {
		return
	}
	o.mu.Lock()
	events, states := o.events, o.states
	o.events, o.states = nil, map[string]turn{}
	o.mu.Unlock()
	if len(events)+len(states) == 0 {
		return
	}
	state := o.Inventory.State()
	for i := range events {
		events[i].Address = subjectAddress(state, events[i].Subject)
	}
	o.History.Record(append(events, o.turns(state, states)...)...)
}

func subjectAddress(state *inventory.State, name string) string {
	if n, ok := state.Neighbor(name); ok {
		return n.Address.String()
	}
	if n, ok := state.ComputeNode(name); ok {
		return n.Address.String()
	}
	return ""
}

// turnGroup is what many floating IPs have in common that one cause has changed.
type turnGroup struct {
	project string
	turn
	reason string
}

// turns returns the events of floating IPs. When one cause has changed very many, they
// are told together.
func (o *observer) turns(state *inventory.State, states map[string]turn) (events []history.Event) {
	if len(states) == 0 {
		return nil
	}
	now, seen, alone := time.Now(), o.observe(state), len(states) <= maxAlone
	groups := map[turnGroup][]string{}
	for _, name := range slices.Sorted(maps.Keys(states)) {
		f, ok := state.FloatingIP(name)
		if !ok {
			continue // whoever deleted it says so
		}
		g := turnGroup{inventory.ProjectOf(name), states[name], ""}
		if v := seen.floatingIP(f); v.state == g.after {
			g.reason = v.reason
		}
		if alone {
			events = append(events, history.Event{Time: now, Kind: history.Observed, Subject: name, Address: f.Address.String(),
				Before: g.before.String(), After: g.after.String(), Reason: g.reason})
			continue
		}
		if len(groups) > maxGroups {
			g.project, g.reason = "", ""
		}
		groups[g] = append(groups[g], name)
	}
	for g, names := range groups {
		e := history.Event{Time: now, Kind: history.Observed, Names: names, Count: uint32(len(names)),
			Before: g.before.String(), After: g.after.String(), Reason: g.reason}
		if len(names) > maxMembers {
			e.Names = slices.Clone(names[:fewMembers])
		}
		events = append(events, e)
	}
	return events
}
