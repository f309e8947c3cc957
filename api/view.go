package api

import (
	"fmt"
	"strings"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// view is what the services share.
type view struct {
	Config
}

// sessions returns what is seen of the sessions of a state's neighbors, by
// their short names.
func (v view) sessions(state *inventory.State) map[string]*neighbor.Status {
	sessions := map[string]*neighbor.Status{}
	for _, s := range v.Sessions.Neighbors() {
		// A session with other settings is one that is about to end.
		if n, ok := state.Neighbor(inventory.NeighborName(s.Settings.Name)); ok && n.Settings == s.Settings {
			sessions[s.Settings.Name] = &s
		}
	}
	return sessions
}

// observed is what the state of floating IPs and routes is computed from.
type observed struct {
	view
	state    *inventory.State
	table    RouteTable
	sessions map[string]*neighbor.Status
	living   inventory.Living
	explain  bool // say why
}

// reach tells how many neighbors have a route.
type reach struct {
	neighbors int
	ready     int      // of the neighbors: they have it
	coming    int      // of the neighbors: they will have it soon
	hopeless  int      // of the neighbors: they are established and will not have it
	missing   []string // why the others do not
}

func (v view) observe(state *inventory.State) *observed {
	return &observed{view: v, state: state, table: v.Routes(), sessions: v.sessions(state), living: v.living(), explain: true}
}

// reach tells who has a route, which the speaker has.
func (o *observed) reach(key vrf.Key) *reach {
	r := &reach{}
	for n := range o.state.Neighbors() {
		r.neighbors++
		s := o.sessions[n.Name]
		if s == nil || s.State != neighbor.Established {
			if o.explain {
				r.missing = append(r.missing, explain.Absence(n.Name, s))
			}
			continue
		}
		d := o.Sessions.Delivery(n.Address, key)
		switch {
		case d.Reason == "":
			if r.ready++; !o.explain {
				return r // one is enough for the state
			}
			continue
		case d.Soon:
			r.coming++
		default:
			r.hopeless++
		}
		if o.explain {
			r.missing = append(r.missing, n.Name+" "+d.Reason)
		}
	}
	return r
}

// verdict is what is observed of a floating IP.
type verdict struct {
	state  buoyv1.FloatingIP_State
	reason string // if it is to be explained
	soon   bool   // the state is on its way to another one
	partly bool   // some of its associations have no route
}

// floatingIP computes the state of a floating IP, and the reason for it. A
// route that is withheld comes before one that only takes time.
func (o *observed) floatingIP(f *inventory.FloatingIP) verdict {
	if len(f.Associations) == 0 {
		return verdict{state: buoyv1.FloatingIP_ALLOCATED, reason: "not associated with a compute node"}
	}
	var worst *reach
	var waiting *vrf.Key
	routes := o.state.LiveRoutesOf(f, o.living)
	for _, want := range routes {
		if err := o.table.Failure(want.Key); err != nil {
			v := verdict{state: buoyv1.FloatingIP_WITHHELD}
			if o.explain {
				v.reason = explain.Refusal(want.Key, err)
			}
			return v
		}
		if have, _, ok := o.table.Get(want.Key); !ok || have != want {
			waiting = &want.Key
			continue
		}
		if r := o.reach(want.Key); worst == nil || r.ready < worst.ready {
			worst = r
		}
	}
	remarks, withheld := o.remarks(f)
	v := verdict{soon: waiting != nil || worst != nil && worst.ready == 0 && worst.coming > 0 || withheld > 0 && o.lingers(f, routes), partly: withheld > 0}
	switch {
	case withheld == len(f.Associations):
		v.state, v.reason = buoyv1.FloatingIP_WITHHELD, strings.Join(remarks, "; ")
		return v
	case worst.stuck():
		v.state = buoyv1.FloatingIP_WITHHELD
	case waiting != nil:
		v.state = buoyv1.FloatingIP_PENDING
	case worst == nil || worst.ready == 0:
		v.state = buoyv1.FloatingIP_PENDING
	default:
		v.state = buoyv1.FloatingIP_ADVERTISED
	}
	if !o.explain {
		return v
	}
	v.reason = worst.String()
	if waiting != nil && v.state == buoyv1.FloatingIP_PENDING {
		v.reason = explain.BeingGiven(o.table, f.Name, *waiting)
	}
	v.reason = strings.Join(append([]string{v.reason}, remarks...), "; ")
	return v
}

// remarks says which associations have no route, and which only one of last
// resort, if that is to be explained. It counts the former.
func (o *observed) remarks(f *inventory.FloatingIP) (list []string, withheld int) {
	for i := range f.Associations {
		a := &f.Associations[i]
		s := o.state.Standing(a, o.living)
		if s.Withheld != "" {
			withheld++
		}
		switch {
		case !o.explain:
		case s.Withheld != "":
			list = append(list, s.Withheld)
		case s.Draining:
			list = append(list, a.ComputeNode+" is draining")
		}
	}
	return list, withheld
}

// stuck reports whether nobody has the route, and somebody who could will not.
func (r *reach) stuck() bool { return r != nil && r.ready == 0 && r.hopeless > 0 }

// maxExcused is how many neighbors a reason names.
const maxExcused = 3

// String says to how many neighbors routes are given, and why not to the
// others.
func (r *reach) String() string {
	if r == nil || r.neighbors == 0 {
		return explain.NoNeighbor
	}
	why := strings.Join(r.missing[:min(len(r.missing), maxExcused)], "; ")
	if more := len(r.missing) - maxExcused; more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	switch {
	case r.ready == 0:
		return "no neighbor has the route: " + why
	case why != "":
		return fmt.Sprintf("to %d of %d neighbors: %s", r.ready, r.neighbors, why)
	default:
		return fmt.Sprintf("to %d of %d neighbors", r.ready, r.neighbors)
	}
}

// origin finds where a route comes from, by its distinguisher and prefix.
func origin(state *inventory.State, key vrf.Key) (network, floatingIP string) {
	n, ok := state.NetworkByID(vrf.NetworkID(key.RD))
	if !ok {
		return "", ""
	}
	if f, ok := state.Holder(n.Name, key.Prefix.Addr()); ok {
		return n.Name, f.Name
	}
	return n.Name, ""
}
