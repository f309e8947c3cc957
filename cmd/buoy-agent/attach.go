package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/buoynet/buoy/api/computenode"
	"github.com/buoynet/buoy/internal/dataplane/linux"
	"github.com/buoynet/buoy/internal/version"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// repairEvery is how often the kernel is looked at without a cause: somebody may have
// removed something.
const repairEvery = time.Minute

// attach keeps a stream to each control node, until the context ends. What was programmed
// stays then.
func (a *app) attach(ctx context.Context, c config, n *node) error {
	secrets, err := c.tls()
	if err != nil {
		return err
	}
	eyes, err := openKernel(c)
	if err != nil {
		return err
	}
	defer eyes.Close()
	r := &reporter{links: eyes.Links, patterns: c.Interfaces, known: map[string]bool{}}
	changed := make(chan struct{}, 1)
	poke := func() {
		select {
		case changed <- struct{}{}:
		default: // somebody will look anyway
		}
	}
	n.later = func(d time.Duration) { time.AfterFunc(d, poke) }
	var number uint64
	for i, server := range c.Servers {
		if slices.Contains(c.Servers[:i], server) {
			return fmt.Errorf("server: %s is there twice", server)
		}
		v := newView(server)
		n.views = append(n.views, v)
		agent, err := computenode.New(computenode.Config{Server: server, TLS: secrets, Node: c.Node, Version: "buoy-agent " + version.Text(), Logger: n.log,
			Program: func(_ context.Context, b computenode.Batch) error {
				return n.change(func() {
					number++
					v.take(b, number)
					n.settled = n.settled || v.complete()
				})
			}})
		if err != nil {
			return err
		}
		r.to = append(r.to, agent)
	}
	if err := recall(c.stateFile(), n.views); err != nil {
		n.log.Error("what was programmed last is not known; the kernel keeps it until buoyd has said all", "err", err)
	}
	if !a.dryRun {
		n.save = saver(c.stateFile())
	}
	if err := n.repair(); err != nil {
		n.log.Error("could not program what was programmed last", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, agent := range r.to {
		g.Go(func() error { return agent.Run(ctx) })
	}
	g.Go(func() error { return eyes.Watch(ctx, poke) })
	g.Go(func() error { return a.follow(ctx, n, r, changed) })
	return g.Wait()
}

// follow reports the interfaces and repairs the kernel, whenever something has changed.
func (a *app) follow(ctx context.Context, n *node, r *reporter, changed <-chan struct{}) error {
	again := time.NewTicker(repairEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-again.C:
		}
		// First what others wait for: whoever is behind a link that went down.
		if err := r.report(); err != nil {
			n.log.Error("could not report the interfaces", "err", err)
		}
		if err := n.repair(); err != nil {
			n.log.Error("could not repair", "err", err)
		}
	}
}

// reporter says how the interfaces are. It belongs to follow.
type reporter struct {
	links    func() ([]linux.Link, error)
	patterns []string
	to       []*computenode.Agent
	known    map[string]bool // what was reported
}

// report reports them all: what has not changed is not sent.
func (r *reporter) report() error {
	list, err := r.links()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	var states []*buoyv1.ComputeInterface
	for _, l := range list {
		if !slices.ContainsFunc(r.patterns, func(p string) bool { ok, _ := path.Match(p, l.Name); return ok }) {
			continue
		}
		there[l.Name] = true
		i := &buoyv1.ComputeInterface{Name: l.Name, State: buoyv1.ComputeInterface_DOWN, Reason: l.Reason}
		if l.Up {
			i.State = buoyv1.ComputeInterface_UP
		}
		states = append(states, i)
	}
	var gone []string
	for name := range r.known {
		if !there[name] {
			gone = append(gone, name)
		}
	}
	for _, agent := range r.to {
		if err := agent.Forget(gone...); err != nil {
			return err
		}
		if err := agent.Report(states...); err != nil {
			return err
		}
		agent.Complete()
	}
	r.known = there
	return nil
}
