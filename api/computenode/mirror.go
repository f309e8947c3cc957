package computenode

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// mirror is what was programmed. It outlives streams. It is owned by Run, which alone
// changes it, with mu held; others only read, and hold mu.
type mirror struct {
	mu          sync.Mutex
	floatingIPs table[string, *buoyv1.NodeFloatingIP]
	routes      table[routeKey, *buoyv1.NodeRoute]

	// Where to resume; empty when only a snapshot will do. What follows belongs to Run.
	token string
	// The networks whose routes it had at that place and has still.
	networks map[string]bool
}

type routeKey struct{ network, prefix string }

func newMirror() *mirror {
	return &mirror{
		floatingIPs: newTable((*buoyv1.NodeFloatingIP).GetName),
		routes: newTable(func(r *buoyv1.NodeRoute) routeKey {
			return routeKey{r.GetNetwork(), r.GetPrefix()}
		}),
	}
}

// hello says where to resume, and what is there.
func (m *mirror) hello(h *buoyv1.Hello) {
	for k := range m.routes.rows {
		if !m.networks[k.network] {
			m.token = "" // the routes of this network came after the token, and maybe not all
		}
	}
	if m.token == "" {
		return
	}
	h.ResumeToken = m.token
	h.FloatingIps = slices.Sorted(maps.Keys(m.floatingIPs.rows))
	h.Networks = slices.Sorted(maps.Keys(m.networks))
}

// forget makes the next stream begin with a snapshot.
func (m *mirror) forget() { m.token, m.networks = "", nil }

// begin begins a snapshot. Nothing is removed until it ends.
func (m *mirror) begin() {
	m.forget()
	m.floatingIPs.mentioned, m.routes.mentioned = map[string]bool{}, map[routeKey]bool{}
}

// interrupt says that a stream has ended, and with it its snapshot.
func (m *mirror) interrupt() { m.floatingIPs.mentioned, m.routes.mentioned = nil, nil }

// mark notes where to resume. Everything before was programmed, or the stream would
// have ended.
func (m *mirror) mark(token string) {
	if token == "" || m.floatingIPs.mentioned != nil || m.routes.mentioned != nil {
		return
	}
	m.token, m.networks = token, map[string]bool{}
	for _, r := range m.floatingIPs.rows {
		m.networks[r.newest.GetNetwork()] = true
	}
}

// change programs changes.
func (m *mirror) change(ctx context.Context, program Program, c *buoyv1.Changes) error {
	s := m.step()
	s.batch.RemovedFloatingIPs = m.floatingIPs.remove(s.floatingIPs, c.GetRemovedFloatingIps()...)
	var gone []routeKey
	if left := c.GetRemovedNetworks(); len(left) > 0 {
		for k := range m.routes.rows {
			if slices.Contains(left, k.network) {
				gone = append(gone, k)
			}
		}
		for _, network := range left {
			delete(m.networks, network)
		}
	}
	for _, w := range c.GetWithdrawnRoutes() {
		gone = append(gone, routeKey{w.GetNetwork(), w.GetPrefix()})
	}
	s.batch.RemovedRoutes = m.routes.remove(s.routes, gone...)
	s.batch.FloatingIPs = m.floatingIPs.change(s.floatingIPs, c.GetFloatingIps())
	s.batch.Routes = m.routes.change(s.routes, c.GetRoutes())
	if err := s.take(ctx, program); err != nil {
		return err
	}
	m.mark(c.GetResumeToken())
	return nil
}

// end ends a part of a snapshot: what it has not mentioned goes.
func (m *mirror) end(ctx context.Context, program Program, e *buoyv1.EndOfSnapshot) error {
	s := m.step()
	switch e.GetPart() {
	case buoyv1.EndOfSnapshot_FLOATING_IPS:
		s.batch.RemovedFloatingIPs = m.floatingIPs.remove(s.floatingIPs, m.floatingIPs.unmentioned()...)
		s.batch.AllFloatingIPs = m.floatingIPs.mentioned != nil
		m.floatingIPs.mentioned = nil
	case buoyv1.EndOfSnapshot_ROUTES:
		s.batch.RemovedRoutes = m.routes.remove(s.routes, m.routes.unmentioned()...)
		s.batch.AllRoutes = m.routes.mentioned != nil
		m.routes.mentioned = nil
	}
	if err := s.take(ctx, program); err != nil {
		return err
	}
	m.mark(e.GetResumeToken())
	return nil
}

// step is a batch, and what it makes of the mirror.
type step struct {
	*mirror
	batch       Batch
	floatingIPs *plan[string, *buoyv1.NodeFloatingIP]
	routes      *plan[routeKey, *buoyv1.NodeRoute]
}

func (m *mirror) step() *step {
	return &step{mirror: m, floatingIPs: m.floatingIPs.plan(), routes: m.routes.plan()}
}

// take has a step carried out, and notes what came of it.
func (s *step) take(ctx context.Context, program Program) error {
	m := s.mirror
	s.batch.RemovedNetworks = s.left()
	var err error
	if !s.batch.isEmpty() {
		err = program(ctx, s.batch)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.forget()
		m.floatingIPs.doubt(s.floatingIPs, s.batch.FloatingIPs)
		m.routes.doubt(s.routes, s.batch.Routes)
		return &programError{fmt.Errorf("program: %w", err)}
	}
	m.floatingIPs.commit(s.floatingIPs)
	m.routes.commit(s.routes)
	return nil
}

// left returns the networks of which nothing is left. Those that still have a floating
// IP, which are nearly all, are found without a look at the routes.
func (s *step) left() []string {
	networks := map[string]bool{}
	for _, f := range s.batch.RemovedFloatingIPs {
		networks[f.GetNetwork()] = true
	}
	for _, r := range s.batch.RemovedRoutes {
		networks[r.GetNetwork()] = true
	}
	for _, c := range s.batch.FloatingIPs {
		if c.Old != nil { // a namesake in another network
			networks[c.Old.GetNetwork()] = true
		}
	}
	s.mirror.floatingIPs.keep(s.floatingIPs, networks)
	s.mirror.routes.keep(s.routes, networks)
	return slices.Sorted(maps.Keys(networks))
}
