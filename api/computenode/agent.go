package computenode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Config is what an agent needs. Server, Node and Program must be given.
type Config struct {
	// unix://PATH or HOST:PORT: one of compute_nodes.listen of buoyd.
	Server string
	// Nil for none. By default the server's certificate must be for the HOST.
	TLS *tls.Config
	// cmp1 or computeNodes/cmp1.
	Node string
	// What the agent calls itself, for operators.
	Version string
	Program Program
	// slog's default one when nil.
	Logger *slog.Logger
}

// Agent is the stream of a compute node, over all its losses. Report, Forget, Complete
// and Mirror may be called at any time by anybody, also by Program.
type Agent struct {
	node, version string
	program       Program
	logger        *slog.Logger
	dialer        *dialer

	mirror  *mirror
	reports *reports
	running atomic.Bool
}

// New returns an agent. Nothing is connected before Run.
func New(c Config) (*Agent, error) {
	d, err := newDialer(c.Server, c.TLS)
	if err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(c.Node, "computeNodes/")
	if name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("node: expected NAME or computeNodes/NAME, got %q", c.Node)
	}
	if c.Program == nil {
		return nil, errors.New("program: expected a function")
	}
	a := &Agent{node: "computeNodes/" + name, version: readable(c.Version), program: c.Program, logger: c.Logger,
		dialer: d, mirror: newMirror(), reports: newReports()}
	if a.logger == nil {
		a.logger = slog.Default()
	}
	a.logger = a.logger.With("server", c.Server, "compute_node", a.node)
	return a, nil
}

// Run keeps a stream, again and again, until the context ends; then it returns nil, when
// Program has returned. The only error is that it runs already. What was programmed stays.
func (a *Agent) Run(ctx context.Context) error {
	if !a.running.CompareAndSwap(false, true) {
		return errors.New("run: this agent runs already")
	}
	defer a.running.Store(false)
	var p pauses
	said := ""
	for ctx.Err() == nil {
		s := &session{Agent: a}
		err := s.run(ctx)
		a.mirror.interrupt()
		if ctx.Err() != nil {
			break
		}
		if s.welcomed {
			p.streams, said = 0, ""
		}
		if s.settled {
			p.programs = 0
		}
		k := kindOf(err)
		if k == refused {
			a.mirror.forget() // it may be the token that makes no sense
		}
		pause := p.after(k)
		a.log(k, err, pause, err.Error() == said)
		said = err.Error()
		wait(ctx, pause)
	}
	return nil
}

// log says why a stream has ended. Who tries for hours says so once.
func (a *Agent) log(k kind, err error, pause time.Duration, again bool) {
	level, text := slog.LevelWarn, "no stream; what is programmed stays"
	switch k {
	case failed:
		level, text = slog.LevelError, "could not program; a snapshot follows"
	case refused:
		level, text = slog.LevelError, "the stream was refused; somebody must correct that, here or there"
	case replaced:
		level, text = slog.LevelError, "another stream took the place of this one; does another agent have this name?"
	}
	if again {
		level = slog.LevelDebug
	}
	a.logger.Log(context.Background(), level, text, "err", err, "retry", pause.Round(time.Millisecond))
}

// Report says how interfaces are: the newest state of each counts, until it is forgotten.
// It is sent at once, or when there is a stream, and again over each new one. A state
// that is not specified is Forget. The error says what is wrong; then nothing is noted.
// A reason is cut, and made printable, where it must be. Computed fields are ignored.
func (a *Agent) Report(interfaces ...*buoyv1.ComputeInterface) error {
	return a.reports.report(interfaces)
}

// Forget says that interfaces are not there any more, and nothing is to be known of them.
func (a *Agent) Forget(names ...string) error {
	list := make([]*buoyv1.ComputeInterface, 0, len(names))
	for _, name := range names {
		list = append(list, &buoyv1.ComputeInterface{Name: name})
	}
	return a.reports.report(list)
}

// Complete says that all interfaces that are there have been reported, once: an agent that
// has just begun looks first. Until then Buoy goes by what an earlier run has reported;
// from then on what was not reported is not there.
func (a *Agent) Complete() { a.reports.finish() }

// Mirror returns what was programmed, which is what Program has returned nil for, in no
// order. What the lists point to must not be changed.
func (a *Agent) Mirror() (floatingIPs []*buoyv1.NodeFloatingIP, routes []*buoyv1.NodeRoute) {
	a.mirror.mu.Lock()
	defer a.mirror.mu.Unlock()
	return a.mirror.floatingIPs.programmed(), a.mirror.routes.programmed()
}
