// Package lab drives real programs for tests and the demo: buoyd and buoyctl,
// and the routers that they are tried against. Nothing else may import it.
//
// # Basics
//
// Build makes the programs. A Loopback is a network of one lab, so that every
// program can use the same ports and two labs never meet. Buoyd and a Gateway
// are programs with a folder of their own:
//
//	programs, err := lab.Build(ctx, false)
//	net, err := lab.NewLoopback()
//	buoyd := lab.NewBuoyd(programs, lab.BuoydConfig{Dir: dir, Listen: net.Host(1)})
//	gateway, err := lab.NewGateway("gobgp", programs, lab.GatewayConfig{Dir: dir, Addr: net.Host(2), Peer: net.Host(1)})
//	err = gateway.Start(ctx)
//	err = buoyd.Start(ctx)
//	result, err := buoyd.Ctl(ctx, gateway.Config().CreateNeighbor("mx1")...)
//	routes, err := gateway.VRF(ctx, "red", lab.VPNv4)
//
// As root, a Wire takes the place of the Loopback: there the addresses, ports and
// interfaces are those of a real network.
//
// A Gateway shows its tables in two forms: as its operator sees them, and as
// Routes, whose text can be compared whole. A Recorder is a router that takes
// no decision; it keeps every route that it was sent, in order.
//
// Whoever waits for something polls for it, with a deadline: see Poll.
//
// # Caveats
//
// A program is killed when the process that started it ends, however it ends,
// unless it was started detached.
//
// A table of a router has only what the router shows: gobgpd forgets the label
// and the communities of a route that a VRF imported.
package lab
