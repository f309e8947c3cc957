package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/metrics"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/version"
)

// listenForMetrics binds where Prometheus connects to. The default address may be
// another buoyd's: then there are no metrics of this one.
func listenForMetrics(cfg config.Metrics, log *slog.Logger) (listeners []net.Listener, err error) {
	for _, addr := range cfg.Listen {
		l, err := net.Listen("tcp", addr.String())
		if err == nil {
			listeners = append(listeners, l)
			continue
		}
		for _, l := range listeners {
			l.Close()
		}
		if cfg.Named {
			return nil, fmt.Errorf("metrics.listen: %w; choose another address, or none", err)
		}
		log.Warn("no metrics are served: the default address cannot be had; choose one with metrics.listen, or none", "error", err)
		return nil, nil
	}
	return listeners, nil
}

// timedStore tells how long commits take.
type timedStore struct {
	store.Store
	committed func(took time.Duration, err, conflict error)
}

func (s timedStore) Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	began := time.Now()
	revision, err := s.Store.Commit(ctx, mutations, steps...)
	s.committed(time.Since(began), err, store.ErrConflict)
	return revision, err
}

// metricsSource joins the metrics to everything else.
func (d *daemon) metricsSource() metrics.Source {
	return metrics.Source{
		Inventory:  d.follower.State,
		Living:     d.nodes.Living,
		Neighbors:  d.speaker.Neighbors,
		Refused:    d.speaker.Refused,
		Table:      func() metrics.Table { return d.loop.Table() },
		Imported:   func() func(network uint16) int { return d.imports.Tables().LenOf },
		Census:     d.census,
		Reconciled: d.loop.Revision,
		StoreSize: func() (int64, error) {
			info, err := os.Stat(d.cfg.Store.Path)
			if err != nil {
				return 0, err
			}
			return info.Size(), nil
		},
		Version: version.Text(),
	}
}

func (d *daemon) countFloatingIPs() (metrics.FloatingIPs, error) {
	n, err := d.server.CountFloatingIPs()
	return metrics.FloatingIPs{Allocated: n.Allocated, Pending: n.Pending, Advertised: n.Advertised, Withheld: n.Withheld}, err
}

// serveMetrics answers Prometheus, if it has an address to ask.
func (d *daemon) serveMetrics() {
	if len(d.metricsListeners) == 0 {
		return
	}
	d.census = metrics.NewCensus(d.countFloatingIPs)
	d.started.add("census", func(ctx context.Context) error {
		return d.census.Run(ctx, func(err error) { d.log.Error("floating IPs cannot be counted for metrics", "error", err) })
	})
	handler := metrics.Handler(d.metrics.Registry(d.metricsSource()), d.log)
	d.started.add("metrics", func(ctx context.Context) error { return metrics.Serve(ctx, handler, d.metricsListeners) })
}

// addresses returns where listeners listen.
func addresses(list []net.Listener) (texts []string) {
	for _, l := range list {
		texts = append(texts, l.Addr().String())
	}
	return texts
}
