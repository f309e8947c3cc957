package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// speaker remembers what it was told, and refuses on demand.
type speaker struct {
	mu     sync.Mutex
	began  time.Time
	calls  []string
	times  []time.Duration                        // of the calls
	refuse func(call string, r []vrf.Route) error // nil refuses nothing
	taken  func(batch int) int                    // how much of a refused batch was taken before it failed; nil: nothing

	routes    map[vrf.Key]vrf.Route
	targets   routetarget.Set
	neighbors []string
	networks  map[uint16]routetarget.Set
	committed []time.Time
}

func newSpeaker() *speaker {
	return &speaker{began: time.Now(), routes: map[vrf.Key]vrf.Route{}}
}

var errRefused = errors.New("refused")

// SetCommitted is not among the calls, either.
func (s *speaker) SetCommitted(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed = append(s.committed, at)
}

// SetNetworks is not among the calls: it comes before all others.
func (s *speaker) SetNetworks(_ context.Context, networks map[uint16]routetarget.Set) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networks = networks
	return nil
}

func (s *speaker) Advertise(_ context.Context, routes []vrf.Route) error {
	return s.batch("advertise", routes, func(r vrf.Route) { s.routes[r.Key] = r })
}

func (s *speaker) Withdraw(_ context.Context, routes []vrf.Route) error {
	return s.batch("withdraw", routes, func(r vrf.Route) { delete(s.routes, r.Key) })
}

func (s *speaker) batch(what string, routes []vrf.Route, take func(vrf.Route)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("%s %d routes", what, len(routes))
	if len(routes) <= 3 {
		var texts []string
		for _, r := range routes {
			texts = append(texts, routeText(r))
		}
		text = what + " " + strings.Join(texts, ", ")
	}
	err := s.call(what, text, routes)
	taken := len(routes)
	if err != nil {
		taken = 0
		if s.taken != nil {
			taken = s.taken(len(routes))
		}
	}
	for _, r := range routes[:taken] {
		if id := vrf.NetworkID(r.RD); what == "advertise" && s.networks[id] != r.Targets {
			return fmt.Errorf("%s is not of network %d with %s", routeText(r), id, s.networks[id])
		}
		take(r)
	}
	return err
}

func (s *speaker) SetMembership(_ context.Context, targets routetarget.Set) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.call("membership", "membership "+targets.String(), nil)
	if err == nil {
		s.targets = targets
	}
	return err
}

func (s *speaker) SetNeighbors(_ context.Context, list []neighbor.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	for _, n := range list {
		texts = append(texts, fmt.Sprintf("%s@%s", n.Name, n.Address))
	}
	err := s.call("neighbors", "neighbors "+strings.Join(texts, " "), nil)
	if err == nil {
		s.neighbors = texts
	}
	return err
}

func (s *speaker) call(what, text string, routes []vrf.Route) error {
	s.calls = append(s.calls, strings.TrimSpace(text))
	s.times = append(s.times, time.Since(s.began))
	if s.refuse == nil {
		return nil
	}
	return s.refuse(what, routes)
}

// refusing sets what is refused from now on.
func (s *speaker) refusing(refuse func(call string, r []vrf.Route) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// said returns the calls since the last time.
func (s *speaker) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls, s.times = nil, nil
	return calls
}

// holds returns a copy of what the speaker was given.
func (s *speaker) holds() (routes map[vrf.Key]vrf.Route, targets routetarget.Set, neighbors []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.routes), s.targets, s.neighbors
}

// only refuses one kind of call.
func only(kind string) func(string, []vrf.Route) error {
	return func(call string, _ []vrf.Route) error {
		if call == kind {
			return fmt.Errorf("%s: %w", kind, errRefused)
		}
		return nil
	}
}

// routeText shows a route; what is usual is left out.
func routeText(r vrf.Route) string {
	text := fmt.Sprintf("%s label %d via %s", r.Key, r.Label, r.NextHop)
	if r.LocalPref != vrf.LocalPrefDefault {
		text += fmt.Sprintf(" preference %d", r.LocalPref)
	}
	if r.GracefulShutdown {
		text += " GRACEFUL_SHUTDOWN"
	}
	if e := r.Encapsulations.String(); e != "gre" {
		text += " by " + e
	}
	return text + " to " + r.Targets.String()
}
