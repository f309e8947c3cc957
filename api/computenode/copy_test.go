package computenode

import (
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// copyOf is what a compute node has.
type copyOf struct {
	ips    map[string]*buoyv1.NodeFloatingIP
	routes map[routeKey]*buoyv1.NodeRoute
}

// program carries a batch out, or a part of it.
func (c *copyOf) program(v *inventory, b Batch) error {
	for _, f := range b.RemovedFloatingIPs {
		delete(c.ips, f.GetName())
	}
	if v.chance(3) {
		return errCut
	}
	for _, r := range b.RemovedRoutes {
		delete(c.routes, routeKey{r.GetNetwork(), r.GetPrefix()})
	}
	for _, f := range b.FloatingIPs {
		c.ips[f.New.GetName()] = f.New
	}
	if v.chance(3) {
		return errCut
	}
	for _, r := range b.Routes {
		c.routes[routeKey{r.New.GetNetwork(), r.New.GetPrefix()}] = r.New
	}
	return nil
}

func (c copyOf) equal(other copyOf) bool {
	for k, r := range c.routes {
		if !proto.Equal(r, other.routes[k]) {
			return false
		}
	}
	for k, f := range c.ips {
		if !proto.Equal(f, other.ips[k]) {
			return false
		}
	}
	return len(c.ips) == len(other.ips) && len(c.routes) == len(other.routes)
}
