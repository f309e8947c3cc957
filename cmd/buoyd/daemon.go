package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/bgp"
	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/metrics"
	"github.com/buoynet/buoy/internal/programme"
	"github.com/buoynet/buoy/internal/reconcile"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
	"github.com/buoynet/buoy/internal/version"
)

// daemon is the whole of buoyd: the rooms, joined.
type daemon struct {
	cfg       config.Config
	log       *slog.Logger
	store     store.Store
	follower  *store.Follower
	feed      *store.Subscription
	speaker   *bgp.Speaker
	nodes     *computenode.Nodes
	loop      *reconcile.Loop
	imports   *reconcile.Imports
	changes   *reconcile.Changes
	server    *api.Server
	listeners []net.Listener

	followers     *programme.Followers
	complete      *programme.Completeness
	nodeServer    *api.NodeServer // nil without a socket for compute nodes
	nodeListeners []net.Listener

	metrics          *metrics.Metrics
	metricsListeners []net.Listener  // none if there is to be no such socket
	census           *metrics.Census // nil without listeners

	started *tasks
	lastRun lastRun
	machine machine

	frozen  context.Context // ends when nothing more may be advertised
	freeze  context.CancelFunc
	settled chan struct{} // closed when the reconcile loop has ended
	// No gateway has routes that the next start could rely on.
	withdrawn atomic.Bool
	begun     bool            // the history was told that it began
	stopping  context.Context // ends when the API was asked to end the daemon
	stop      context.CancelFunc
}

// open prepares everything that can fail: the store is read and belongs to
// this AS, every port is bound. Nothing is advertised and no session opens.
func open(ctx context.Context, cfg config.Config, s startup, log *slog.Logger) (_ *daemon, err error) {
	d := &daemon{cfg: cfg, log: log, started: newTasks(ctx, log), lastRun: lastRun{cfg.Store.Path + ".last-run", log}, settled: make(chan struct{}), metrics: metrics.New()}
	d.machine = machine{started: time.Now(), lastRun: d.lastRun.time(), reload: s.reload, kernel: kernelClock}
	d.frozen, d.freeze = context.WithCancel(context.Background())
	d.stopping, d.stop = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			d.close() // the first error is the one to tell
		}
	}()
	_, found := os.Stat(cfg.Store.Path)
	opened, err := bolt.Open(cfg.Store.Path, bolt.MaxEvents(cfg.History.MaxEvents))
	if err != nil {
		return nil, err
	}
	if errors.Is(found, os.ErrNotExist) {
		log.Info("created a new, empty store", "store", cfg.Store.Path)
	}
	d.machine.failure = opened.Failure
	d.store = opened // only now: a nil *bolt.Store is not a nil Store
	if lost := opened.HistoryLost(); lost != "" {
		log.Error("the history was damaged and begins anew; everything else is there", "damaged", lost)
	}
	ctx = history.By(ctx, history.Author{Who: "buoyd (configuration)"})
	d.follower = store.NewFollower(timedStore{d.store, d.metrics.Committed}, staticOf(cfg), time.Now)
	d.started.add("inventory", d.follower.Run)
	select {
	case <-d.follower.Ready():
	case <-d.started.failed:
		return nil, d.started.stop()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if _, err = d.follower.Execute(ctx, inventory.SeedGlobal{AS: cfg.BGP.AS}); err != nil {
		return nil, fmt.Errorf("store %s: %w", cfg.Store.Path, err)
	}
	if pool := cfg.Pools.Global; pool != "" {
		if _, ok := d.follower.State().Pool(pool); !ok {
			log.Warn("pools.global names a pool that does not exist; what relies on it is refused", "pool", pool)
		}
	}
	if b, ok := d.follower.State().Overridden(); ok {
		log.Info("pools.global takes the place of the global binding in the store", "pool", cfg.Pools.Global, "store", b.Pool)
	}
	if d.nodes, err = openNodes(d.follower, opened, d.turned, log); err != nil {
		return nil, fmt.Errorf("store %s: %w", cfg.Store.Path, err)
	}
	if d.listeners, err = api.Listen(endpointsOf(cfg.API.Listen)...); err != nil {
		return nil, err
	}
	var tls *api.NodeTLS
	if d.nodeListeners, tls, err = listenForNodes(cfg.ComputeNodes, log); err != nil {
		return nil, err
	}
	if d.metricsListeners, err = listenForMetrics(cfg.Metrics, log); err != nil {
		return nil, err
	}
	var listen []string // last, because only Run closes a speaker
	for _, addr := range cfg.BGP.Listen {
		listen = append(listen, addr.String())
	}
	speaker := bgp.Config{AS: cfg.BGP.AS, RouterID: cfg.BGP.RouterID, Listen: listen, Quarantine: s.quarantine, Written: d.metrics.Written, Logger: log}
	if !s.cold {
		speaker.LastRun = d.machine.lastRun
	}
	if s.flight != nil {
		speaker.Note = s.flight.note
		d.started.add("flight", s.flight.run)
	}
	d.speaker, err = bgp.Start(ctx, speaker)
	if err != nil {
		return nil, err
	}
	d.feed = d.follower.Subscribe()
	d.changes = reconcile.NewChanges()
	d.loop = reconcile.New(d.feed, d.nodes, d.speaker, d.changes, log)
	importedAlone := reconcile.NewChanges() // our own routes are of no use to compute nodes
	d.imports = reconcile.NewImports(d.follower.Subscribe(), d.speaker, d.changes, importedAlone)
	d.complete = programme.NewCompleteness(d.speaker, d.imports.Settle, log)
	d.followers = programme.NewFollowers(d.follower, imported{importedAlone, d.imports}, d.complete.Done())
	d.machine.tls = tls
	d.openServers()
	// Only now: a start that is refused leaves the store as it is.
	if err = d.beginHistory(); err != nil {
		return nil, err
	}
	return d, nil
}

// run has every route in hand before the first session opens, then serves,
// until the context ends, the API is asked to, or a part fails.
func (d *daemon) run(ctx context.Context) error {
	state := d.follower.State()
	ready := make(chan struct{})
	d.started.add("speaker", func(ctx context.Context) error {
		select {
		case <-ready:
		case <-ctx.Done(): // it ends what it has begun
		}
		return d.speaker.Run(ctx)
	})
	drains := drains{feed: d.follower.Subscribe(), execute: d.follower.Execute, now: time.Now, log: d.log}
	d.started.add("drains", drains.run)
	d.started.add("compute nodes", d.nodes.Run)
	d.started.add("reconcile", d.reconcile)
	d.started.add("import", d.imports.Run)
	if err := d.loop.Wait(ctx, state.Revision()); err == nil {
		d.started.add("completeness", d.complete.Run)
		d.started.add("programmes", d.followers.Run)
		d.started.add("last run", d.lastRun.run)
		close(ready)
		d.serve()
		d.log.Info("buoyd is ready", "version", version.Text(), "as", d.cfg.BGP.AS, "router_id", d.cfg.BGP.RouterID,
			"store", d.cfg.Store.Path, "bgp", d.speaker.Addrs(), "api", d.cfg.API.Listen, "compute_nodes", d.cfg.ComputeNodes.Listen, "metrics", addresses(d.metricsListeners), "routes", d.loop.Table().Len(), "revision", state.Revision())
	}
	select {
	case <-ctx.Done():
		d.log.Info("buoyd is stopping")
	case <-d.stopping.Done():
		d.log.Info("buoyd is stopping: it was shut down")
	case <-d.started.failed:
	}
	return d.close()
}

// reconcile runs the loop until the context ends, or it is frozen.
func (d *daemon) reconcile(ctx context.Context) error {
	loop, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.frozen, cancel)()
	err := d.loop.Run(loop)
	close(d.settled)
	if err == nil {
		<-ctx.Done()
	}
	return err
}

// withdrawTime is how long routers may take to read the withdrawals.
const withdrawTime = 5 * time.Second

// shutdown makes the daemon end.
func (d *daemon) shutdown(ctx context.Context, withdraw bool, communication string) error {
	defer d.stop()
	if !withdraw {
		return nil
	}
	d.freeze()
	<-d.settled
	ctx, cancel := context.WithTimeout(ctx, withdrawTime)
	defer cancel()
	err := d.speaker.Shutdown(ctx, cmp.Or(communication, "buoyd was shut down"))
	d.withdrawn.Store(true)
	return err
}

// close stops what runs, the last started first, and closes the store.
func (d *daemon) close() error {
	if d.nodes != nil {
		d.nodes.Freeze() // that streams end now says nothing of compute nodes
	}
	err := d.started.stop()
	d.endHistory()
	if d.withdrawn.Load() {
		err = errors.Join(err, d.lastRun.forget())
	}
	for _, l := range slices.Concat(d.listeners, d.nodeListeners, d.metricsListeners) {
		l.Close()
	}
	if d.store != nil {
		err = errors.Join(err, d.store.Close())
	}
	return err
}

// openNodes finds out what an earlier run knew of compute nodes: before anything is
// advertised, or dead ones would be for a moment.
func openNodes(follower *store.Follower, notes computenode.Notes, turned func([]computenode.Turn, int), log *slog.Logger) (*computenode.Nodes, error) {
	return computenode.New(computenode.Config{Inventory: follower.Subscribe(), Notes: notes, Clock: computenode.SystemClock(), Logger: log, Turned: turned})
}

// staticOf returns what the configuration file defines.
func staticOf(cfg config.Config) inventory.Static {
	static := inventory.Static{GlobalPool: cfg.Pools.Global, ExternalPool: cfg.Pools.ExternalName}
	for _, settings := range cfg.Neighbors {
		static.Neighbors = append(static.Neighbors, &inventory.Neighbor{Settings: settings})
	}
	return static
}
