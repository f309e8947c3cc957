package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/gatewayconfig"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// fillInput adds what the daemon says to what the flags do.
func fillInput(in *gatewayconfig.Input, global *buoyv1.Global, n *buoyv1.Neighbor, networks []*buoyv1.Network, nodes []*buoyv1.ComputeNode) error {
	var failed error
	parsed := func(what string, err error) {
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", what, err))
		}
	}
	encapsulations := func(what string, names []string) vrf.Encapsulations {
		set, err := vrf.ParseEncapsulations(names)
		parsed(what, err)
		return set
	}
	targets := func(what string, texts []string) (list []routetarget.Target) {
		for _, text := range texts {
			t, err := routetarget.ParseTarget(text)
			parsed(what, err)
			list = append(list, t)
		}
		return list
	}

	in.Buoy.AS = global.SessionAs
	if !in.Buoy.Address.IsValid() {
		in.Buoy.Address = sessionEnd(n)
	}
	address, err := netip.ParseAddr(n.Address)
	parsed(n.Name, err)
	in.Gateway = gatewayconfig.Gateway{
		Name: short(n.Name), Address: address, Port: uint16(n.Port), AS: n.As,
		InetVPN:     slices.Contains(n.Families, "inet-vpn"),
		Inet6VPN:    slices.Contains(n.Families, "inet6-vpn"),
		RouteTarget: slices.Contains(n.Families, "route-target"),
		TTLSecurity: uint8(n.TtlSecurity), Multihop: uint8(n.Multihop),
		Encapsulations: encapsulations(n.Name, n.Encapsulations),
	}
	if id, err := netip.ParseAddr(n.GetSession().GetOpenReceived().GetRouterId()); err == nil {
		in.Gateway.RouterID = id
	}
	switch {
	case n.Md5KeyFile != "":
		in.Gateway.Key = "the file " + n.Md5KeyFile
	case n.Md5KeyEnv != "":
		in.Gateway.Key = "the variable " + n.Md5KeyEnv + " of its environment"
	}
	for _, network := range networks {
		in.Networks = append(in.Networks, gatewayconfig.Network{
			Name: network.Name, ID: uint16(network.Id), Encapsulations: encapsulations(network.Name, network.Encapsulations),
			Import: targets(network.Name, configured(network, network.ImportTargets)),
			Export: targets(network.Name, configured(network, network.ExportTargets)),
		})
	}
	for _, node := range nodes {
		address, err := netip.ParseAddr(node.Address)
		parsed(node.Name, err)
		in.Nodes = append(in.Nodes, gatewayconfig.Node{
			Name: short(node.Name), Address: address, Encapsulations: encapsulations(node.Name, node.Encapsulations)})
	}
	return failed
}

// configured returns the targets of a network in one direction. The automatic one
// is for networks that have no other: it changes with the AS.
func configured(n *buoyv1.Network, further []string) []string {
	if list := slices.Concat(n.RouteTargets, further); len(list) > 0 {
		return list
	}
	return []string{n.AutomaticTarget}
}

// sessionEnd returns our end of the connection: the one that is configured, or
// that of the last session.
func sessionEnd(n *buoyv1.Neighbor) netip.Addr {
	last, _ := netip.ParseAddrPort(n.GetSession().GetLocalAddress())
	address, _ := netip.ParseAddr(cmp.Or(n.LocalAddress, last.Addr().String()))
	return address.Unmap()
}
