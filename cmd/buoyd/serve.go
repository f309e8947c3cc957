package main

import (
	"context"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/internal/neighbor"
)

// openServers joins the API to everything else.
func (d *daemon) openServers() {
	cfg := api.Config{
		Inventory:    d.follower,
		Routes:       func() api.RouteTable { return d.loop.Table() },
		Imports:      d.imports.Tables,
		Changes:      changeLog{d.changes},
		Sessions:     d.speaker,
		Life:         d.nodes,
		ComputeNodes: nodeSessions{d.nodes},
		Programmes:   programmes{d.followers},
		Families:     d.cfg.BGP.Families,
		Local:        neighbor.Local{AS: d.cfg.BGP.AS, RouterID: d.cfg.BGP.RouterID.String()},
		Machine:      d.look,
		Shutdown:     d.shutdown,
		History:      d.store,
		Logger:       d.log,
	}
	d.server = api.New(cfg)
	if len(d.nodeListeners) > 0 {
		d.nodeServer = api.NewNodeServer(cfg, d.machine.tls)
	}
}

// serve answers operators, and compute nodes if there is a socket for them.
func (d *daemon) serve() {
	d.serveMetrics()
	d.started.add("api", func(ctx context.Context) error { return d.server.Serve(ctx, d.listeners) })
	if d.nodeServer != nil {
		d.started.add("compute node streams", func(ctx context.Context) error { return d.nodeServer.Serve(ctx, d.nodeListeners) })
	}
}
