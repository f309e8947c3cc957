package api

import (
	"fmt"
	"runtime/debug"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// FloatingIPs is how many floating IPs are in each state.
type FloatingIPs struct {
	Allocated, Pending, Advertised, Withheld int
}

// CountFloatingIPs looks at every floating IP. The states are those that
// ListFloatingIPs shows. A panic is an error: it must not end the sessions with the
// gateways.
func (s *Server) CountFloatingIPs() (n FloatingIPs, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("count floating IPs: %v\n%s", p, debug.Stack())
		}
	}()
	v := s.watches.view
	seen := v.observe(v.Inventory.State())
	seen.explain = false
	for f := range seen.state.FloatingIPs("") {
		switch seen.floatingIP(f).state {
		case buoyv1.FloatingIP_ALLOCATED:
			n.Allocated++
		case buoyv1.FloatingIP_PENDING:
			n.Pending++
		case buoyv1.FloatingIP_ADVERTISED:
			n.Advertised++
		case buoyv1.FloatingIP_WITHHELD:
			n.Withheld++
		}
	}
	return n, nil
}
