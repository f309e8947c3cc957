package computenode

import (
	"fmt"
	"strings"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func ip(name, network string, label uint32) *buoyv1.NodeFloatingIP {
	return &buoyv1.NodeFloatingIP{Name: name, Network: network, Label: label}
}

func route(network, prefix string, label uint32) *buoyv1.NodeRoute {
	return &buoyv1.NodeRoute{Network: network, Prefix: prefix, NextHops: []*buoyv1.NextHop{{Address: "10.0.0.1", Label: label}}}
}

func ips(list ...*buoyv1.NodeFloatingIP) []*buoyv1.NodeFloatingIP { return list }
func routes(list ...*buoyv1.NodeRoute) []*buoyv1.NodeRoute        { return list }

// text writes a batch: -gone, +new, ~changed from a label to another one.
func text(b Batch) string {
	var words []string
	for _, f := range b.RemovedFloatingIPs {
		words = append(words, "-"+f.GetName())
	}
	for _, r := range b.RemovedRoutes {
		words = append(words, "-"+r.GetPrefix())
	}
	for _, n := range b.RemovedNetworks {
		words = append(words, "-"+n[strings.LastIndex(n, "/")+1:])
	}
	for _, c := range b.FloatingIPs {
		words = append(words, change(c.Old != nil, c.New.GetName(), c.Old.GetLabel(), c.New.GetLabel()))
	}
	label := func(r *buoyv1.NodeRoute) uint32 {
		if r == nil {
			return 0
		}
		return r.GetNextHops()[0].GetLabel()
	}
	for _, c := range b.Routes {
		words = append(words, change(c.Old != nil, c.New.GetPrefix(), label(c.Old), label(c.New)))
	}
	if b.AllFloatingIPs {
		words = append(words, "all floating IPs")
	}
	if b.AllRoutes {
		words = append(words, "all routes")
	}
	return strings.Join(words, " ")
}

func change(had bool, name string, from, to uint32) string {
	if had {
		return fmt.Sprintf("~%s:%d>%d", name, from, to)
	}
	return fmt.Sprintf("+%s:%d", name, to)
}
