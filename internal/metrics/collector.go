package metrics

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// collector reads what can be seen. It implements prometheus.Collector.
type collector struct {
	Source
	descs map[string]*prometheus.Desc
}

func newCollector(from Source) *collector {
	c := &collector{Source: from, descs: map[string]*prometheus.Desc{}}
	for _, m := range all {
		if m.kind != histogram && m.name != StoreCommits { // these have a place of their own
			c.descs[m.name] = m.desc()
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect implements prometheus.Collector. Each group stands for itself. A panic is
// reported, and must not end the sessions with the gateways.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	e := &emitter{c, to, c.Inventory()}
	for _, group := range []func(*emitter){(*emitter).build, (*emitter).neighbors, (*emitter).routes, (*emitter).pools,
		(*emitter).floatingIPs, (*emitter).computeNodes, (*emitter).store} {
		e.guard(group)
	}
}

// emitter sends the metrics of one scrape.
type emitter struct {
	*collector
	to    chan<- prometheus.Metric
	state *inventory.State
}

func (e *emitter) guard(group func(*emitter)) {
	defer func() {
		if p := recover(); p != nil {
			e.fail(fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	group(e)
}

func (e *emitter) fail(err error) {
	e.to <- prometheus.NewInvalidMetric(e.descs[BuildInfo], err)
}

// number is whatever a metric's value is.
type number interface {
	~int | ~int64 | ~uint8 | ~uint64 | ~float64
}

// emit sends a value.
func emit[N number](e *emitter, name string, value N, labels ...string) {
	m, err := prometheus.NewConstMetric(e.descs[name], byName[name].kind.value(), float64(value), labels...)
	if err != nil { // a name is not UTF-8: no resource has such a one
		e.fail(err)
		return
	}
	e.to <- m
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (e *emitter) build() { emit(e, BuildInfo, 1, e.Version, runtime.Version()) }

// neighbors sends what is known of the neighbors that are configured.
func (e *emitter) neighbors() {
	sessions := map[string]neighbor.Status{}
	for _, s := range e.Neighbors() {
		sessions[s.Settings.Name] = s
	}
	for n := range e.state.Neighbors() {
		s := sessions[n.Name] // of one that is being set up all is 0
		emit(e, NeighborEstablished, bit(s.State == neighbor.Established), n.Name)
		emit(e, NeighborState, s.State, n.Name)
		if !s.Since.IsZero() {
			emit(e, NeighborSince, float64(s.Since.UnixMilli())/1000, n.Name)
		}
		emit(e, NeighborStateChanges, s.Changes, n.Name)
		emit(e, NeighborSessions, s.Established, n.Name)
		emit(e, NeighborFlaps, s.Flaps, n.Name)
		e.messages(n.Name, "sent", &s.Sent)
		e.messages(n.Name, "received", &s.Received)
		emit(e, NeighborMalformed, s.Received.Refused, n.Name, "refused")
		emit(e, NeighborMalformed, s.Received.Malformed, n.Name, "tolerated")
		emit(e, NeighborRoutes, s.Advertised, n.Name, "advertised")
		emit(e, NeighborRoutes, s.Taken, n.Name, "received")
		emit(e, NeighborStaleRoutes, s.Stale, n.Name)
		emit(e, NeighborExcessRoutes, s.Left, n.Name)
		emit(e, NeighborFiltered, s.Filtered, n.Name)
		emit(e, NeighborCapped, bit(s.MaxReached), n.Name)
		emit(e, NeighborQueueRoutes, s.Queued, n.Name)
		emit(e, NeighborQueueBytes, s.QueuedBytes, n.Name)
	}
	emit(e, RefusedConnections, e.Refused().Count)
}

func (e *emitter) messages(name, direction string, n *neighbor.Counters) {
	for _, m := range []struct {
		kind  string
		count uint64
	}{{"open", n.Opens}, {"update", n.Updates}, {"notification", n.Notifications}, {"keepalive", n.Keepalives}, {"route-refresh", n.RouteRefreshes}} {
		emit(e, NeighborMessages, m.count, name, direction, m.kind)
	}
	emit(e, NeighborBytes, n.Bytes, name, direction)
}

func (e *emitter) routes() {
	table, imported := e.Table(), e.Imported()
	emit(e, Routes, table.Len())
	emit(e, RefusedRoutes, table.Refused())
	for n := range e.state.Networks() {
		emit(e, NetworkRoutes, table.LenOf(n.ID), n.Name, "advertised")
		emit(e, NetworkRoutes, imported(n.ID), n.Name, "imported")
	}
}

func (e *emitter) pools() {
	for p := range e.state.Pools() {
		emit(e, PoolAddresses, p.Usable().Size(), p.Name)
		emit(e, PoolUsedAddresses, e.state.Used(p), p.Name)
	}
}

func (e *emitter) floatingIPs() {
	if e.Census == nil {
		return
	}
	n := e.Census.Latest()
	if n.At.IsZero() {
		return // not 0: nobody knows yet
	}
	emit(e, FloatingIPsInState, n.Allocated, "allocated")
	emit(e, FloatingIPsInState, n.Pending, "pending")
	emit(e, FloatingIPsInState, n.Advertised, "advertised")
	emit(e, FloatingIPsInState, n.Withheld, "withheld")
	emit(e, FloatingIPsCounted, float64(n.At.UnixMilli())/1000)
}

var nodeStates = map[inventory.NodeState]string{inventory.NodeDown: "down", inventory.NodeStale: "stale", inventory.NodeUp: "up"}

// computeNodes sends what is known of them. One that needs no stream, and has none, is
// neither up nor down.
func (e *emitter) computeNodes() {
	living := e.Living()
	counts := map[string]int{"up": 0, "stale": 0, "down": 0, "vouched": 0}
	for n := range e.state.ComputeNodes() {
		name := strings.TrimPrefix(n.Name, "computeNodes/")
		life := living.Node(n.Name)
		if n.Liveness.Mode == inventory.Vouched && life.State == inventory.NodeDown {
			counts["vouched"]++
		} else {
			counts[nodeStates[life.State]]++
			emit(e, ComputeNodeState, life.State, name)
		}
		emit(e, ComputeNodeDraining, bit(n.Drain.Begun()), name)
		emit(e, ComputeNodeIPs, e.state.CountAt(n.Name), name)
	}
	for state, count := range counts {
		emit(e, ComputeNodes, count, state)
	}
}

func (e *emitter) store() {
	emit(e, StoreRevision, e.state.Revision())
	emit(e, ReconciledRevision, e.Reconciled())
	size, err := e.StoreSize()
	if err != nil {
		e.fail(err)
		return
	}
	emit(e, StoreSize, size)
}
