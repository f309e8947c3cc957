package doctor

import (
	"fmt"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// configuration looks at what a start would run, and at what cannot work as it is
// configured.
func (e *exam) configuration() {
	e.start()
	e.globalPool()
	networks, neighbors := 0, 0
	subnets := neighbor.Families(0)
	for n := range e.State.Networks() {
		networks++
		for _, p := range n.Subnets {
			subnets |= neighbor.NewFamilies(neighbor.VPNFamily(p.Addr()))
		}
	}
	for n := range e.State.Neighbors() {
		neighbors++
		if subnets != 0 && n.Families&subnets == 0 {
			e.found(Finding{ID: "neighbor_family", Area: Configuration, Severity: Warning, Subject: n.ResourceName(),
				Cause:  fmt.Sprintf("%s is configured for %s, and no network has floating IPs in these; they are in %s", n.Name, n.Families, subnets),
				Remedy: fmt.Sprintf("buoyctl set neighbor %s --families %s", n.Name, n.Families|subnets)})
		}
	}
	e.texts[Configuration] = fmt.Sprintf("%s, %s", number(networks, "network"), number(neighbors, "neighbor"))
	if e.Configuration.AS != 0 {
		e.well[Configuration] = "; a restart would change nothing"
	}
	if networks == 0 {
		e.found(Finding{ID: "no_network", Area: Configuration, Severity: Info, Subject: Daemon,
			Cause: "there is no network, and so nothing to take floating IPs from", Remedy: "buoyctl create network NAME --subnet PREFIX"})
	}
	if neighbors == 0 {
		e.found(Finding{ID: "no_neighbor", Area: Configuration, Severity: Info, Subject: Daemon,
			Cause: "no neighbor is configured, and so nobody to send routes to", Remedy: "buoyctl create neighbor NAME --address ADDRESS --as AS"})
	}
	e.keys()
}

// start looks at what would happen if the daemon were started again.
func (e *exam) start() {
	c := e.Configuration
	if c.Problem != "" {
		e.found(Finding{ID: "configuration_invalid", Area: Configuration, Severity: Warning, Subject: Daemon,
			Cause:  "the daemon would not start again: its configuration has become invalid: " + c.Problem,
			Remedy: "correct it; buoyd config check --config FILE says whether it is valid"})
		return
	}
	if g, ok := e.State.Global(); ok && c.AS != 0 && c.AS != g.AS {
		e.found(Finding{ID: "restart_refused", Area: Configuration, Severity: Warning, Subject: Daemon,
			Cause:  fmt.Sprintf("the daemon would not start again: the store belongs to AS %d, and the configuration says %d", g.AS, c.AS),
			Remedy: fmt.Sprintf("set bgp.as to %d in the configuration, or run buoyctl set global --as %d", g.AS, c.AS)})
	}
	if n := len(c.Changes); n > 0 {
		e.found(Finding{ID: "configuration_changed", Area: Configuration, Severity: Info, Subject: Daemon, Count: uint64(n), Examples: c.Changes[:min(n, examples)],
			Cause:  fmt.Sprintf("a restart would change %s of the configuration: %s", number(n, "key"), listed(c.Changes)),
			Remedy: "restart the daemon if that is wanted: nothing is reloaded"})
	}
}

// globalPool looks at the binding of the configuration.
func (e *exam) globalPool() {
	b, ok := e.State.Binding(inventory.GlobalBindingName)
	if !ok || !b.ReadOnly {
		return
	}
	if _, ok := e.State.Pool(b.Pool); !ok {
		e.found(Finding{ID: "global_pool_missing", Area: Configuration, Severity: Warning, Subject: b.Pool,
			Cause:  fmt.Sprintf("pools.global of the configuration names %s, which does not exist: who relies on it is refused", b.Pool),
			Remedy: "buoyctl create pool, or correct pools.global and restart the daemon"})
	}
	if hidden, ok := e.State.Overridden(); ok {
		e.found(Finding{ID: "global_pool_overridden", Area: Configuration, Severity: Info, Subject: hidden.Name,
			Cause:  fmt.Sprintf("pools.global of the configuration, %s, takes the place of the store's binding to %s", b.Pool, hidden.Pool),
			Remedy: "take pools.global out of the configuration if the other one is wanted"})
	}
}

// keys looks at MD5 keys that the next session will need. That a session is missing for
// that reason is said of the session.
func (e *exam) keys() {
	for n := range e.State.Neighbors() {
		err, s := e.Keys[n.Name], e.Snapshot.Sessions[n.Name]
		if err == nil || s == nil || s.State != neighbor.Established {
			continue
		}
		e.found(Finding{ID: "key_unreadable", Area: Configuration, Severity: Warning, Subject: n.ResourceName(),
			Cause:  fmt.Sprintf("the MD5 key of %s cannot be read any more, and the next session needs it: %v", n.Name, err),
			Remedy: "make the key readable for the daemon; it is read again every second"})
	}
}

// listed joins the first few of a list.
func listed(list []string) string {
	text := strings.Join(list[:min(len(list), examples)], "; ")
	if more := len(list) - examples; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
