package metrics

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// Source is what metrics are read from. Its functions may be called concurrently.
type Source struct {
	Inventory func() *inventory.State
	Living    func() inventory.Living
	Neighbors func() []neighbor.Status
	Refused   func() neighbor.Refused // connections of strangers
	Table     func() Table
	Imported  func() func(network uint16) int
	// Census may be nil.
	Census     *Census
	Reconciled func() uint64 // revision
	StoreSize  func() (bytes int64, err error)
	Version    string
}

// Table is a snapshot of what the speaker has been given.
type Table interface {
	Len() int
	Refused() int
	LenOf(network uint16) int
}

// Metrics is what has happened. Its methods may be called concurrently.
type Metrics struct {
	commit  prometheus.Histogram
	commits *prometheus.CounterVec
	wire    prometheus.Histogram
}

// The bounds of the buckets, in seconds.
var (
	commitBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	wireBounds   = append([]float64{.00005}, commitBounds...)
)

// The outcomes of commits.
const (
	ok       = "ok"
	conflict = "conflict"
	failed   = "failed"
)

// New returns metrics of nothing.
func New() *Metrics {
	m := &Metrics{
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Name: StoreCommit, Help: byName[StoreCommit].help, Buckets: commitBounds}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{Name: StoreCommits, Help: byName[StoreCommits].help},
			byName[StoreCommits].labels),
		wire: prometheus.NewHistogram(prometheus.HistogramOpts{Name: CommitToWire, Help: byName[CommitToWire].help, Buckets: wireBounds}),
	}
	for _, outcome := range []string{ok, conflict, failed} {
		m.commits.WithLabelValues(outcome) // what has not happened is 0
	}
	return m
}

// Committed notes a commit. Which error is a conflict, the caller says.
func (m *Metrics) Committed(took time.Duration, err, isConflict error) {
	m.commit.Observe(took.Seconds())
	outcome := ok
	switch {
	case errors.Is(err, isConflict):
		outcome = conflict
	case err != nil:
		outcome = failed
	}
	m.commits.WithLabelValues(outcome).Inc()
}

// Written notes how long after a commit its routes were written to a neighbor.
func (m *Metrics) Written(after time.Duration) { m.wire.Observe(after.Seconds()) }

// Registry returns a registry of all metrics, those of Go and of the process included.
func (m *Metrics) Registry(from Source) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(m.commit, m.commits, m.wire, newCollector(from),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// maxScrapes is how many may be under way at once.
const maxScrapes = 4

// Handler serves /metrics, and an index that links to it. What cannot be read is logged
// and left out.
func Handler(r *prometheus.Registry, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorLog: errorLog{log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte("<!DOCTYPE html><title>buoyd</title><p>buoyd: <a href=\"/metrics\">metrics</a></p>\n"))
	})
	return mux
}

// errorLog is a logger as promhttp wants it.
type errorLog struct{ *slog.Logger }

func (l errorLog) Println(v ...any) { l.Error("metrics", "error", v) }
