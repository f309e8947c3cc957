package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// expiring is how long before its end a certificate is worth a word.
const expiring = 14 * 24 * time.Hour

// ports looks at who can connect to us.
func (e *exam) ports() {
	var listen []string
	for _, a := range e.Listen {
		listen = append(listen, a.String())
	}
	if e.texts[Ports] = "BGP on " + listed(listen); len(listen) == 0 {
		e.texts[Ports] = "where BGP listens is not known"
	}
	if len(e.NodeSockets) > 0 {
		e.texts[Ports] += "; compute nodes on " + listed(e.NodeSockets)
	}
	for n := range e.State.Neighbors() {
		s := e.Snapshot.Sessions[n.Name]
		up := s != nil && s.State == neighbor.Established
		if !n.Passive || up || len(e.Listen) == 0 || slices.ContainsFunc(e.Listen, func(l netip.AddrPort) bool { return reaches(n.Address, l.Addr()) }) {
			continue
		}
		e.found(Finding{ID: "unreachable_port", Area: Ports, Severity: Warning, Subject: n.ResourceName(),
			Cause:  fmt.Sprintf("%s has to connect to us (--passive), and from %s it can reach none of %s", n.Name, n.Address, listed(listen)),
			Remedy: "let bgp.listen have an address that the router can reach, and restart the daemon; or let Buoy connect: buoyctl set neighbor " + n.Name + " --passive=false"})
	}
	e.nodeSockets()
	for _, c := range e.Certificates {
		left := c.NotAfter.Sub(e.Now)
		f := Finding{ID: "certificate_expiring", Area: Ports, Severity: Warning, Subject: Daemon,
			Cause:  fmt.Sprintf("%s of compute_nodes expires in %d days, on %s", c.Name, int(left/(24*time.Hour)), c.NotAfter.UTC().Format(time.DateOnly)),
			Remedy: "renew it: the file is read anew when it changes"}
		if left <= 0 {
			f.ID, f.Severity, f.Since = "certificate_expired", Error, c.NotAfter
			f.Cause = fmt.Sprintf("%s of compute_nodes has expired, on %s: no compute node can connect any more", c.Name, c.NotAfter.UTC().Format(time.DateOnly))
		}
		if left < expiring {
			e.found(f)
		}
	}
}

// reaches reports whether packets from a router may come to where we listen.
func reaches(from, listen netip.Addr) bool {
	switch {
	case listen.IsUnspecified():
		return listen.Is6() || from.Is4()
	case listen.Is4() != from.Is4():
		return false
	default:
		return !listen.IsLoopback() || from.IsLoopback()
	}
}

// nodeSockets looks at whether compute nodes that must have a stream can have one.
func (e *exam) nodeSockets() {
	needed, up := 0, 0
	for n := range e.State.ComputeNodes() {
		if n.Liveness.Mode == inventory.Session {
			needed++
			if e.Living != nil && e.Living.Node(n.Name).State == inventory.NodeUp {
				up++
			}
		}
	}
	switch {
	case needed == 0 || up > 0 || e.Living == nil:
	case len(e.NodeSockets) == 0:
		e.found(Finding{ID: "no_node_socket", Area: Ports, Severity: Error, Subject: Daemon,
			Cause:  fmt.Sprintf("%s must have a stream (liveness session), and there is no socket for them", number(needed, "compute node")),
			Remedy: "set compute_nodes.listen in the configuration and restart the daemon, or buoyctl set computenode NAME --liveness none"})
	default:
		e.found(Finding{ID: "no_agent", Area: Ports, Severity: Warning, Subject: Daemon,
			Cause:  fmt.Sprintf("%s must have a stream (liveness session), and no agent is connected to %s", number(needed, "compute node"), listed(e.NodeSockets)),
			Remedy: "look at the agents, their way to that socket and their certificates"})
	}
}
