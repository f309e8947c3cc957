package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/dataplane"
	"github.com/buoynet/buoy/internal/dataplane/linux"
)

// kernel is what is programmed.
type kernel interface {
	Read() (dataplane.Plan, error)
	Apply([]dataplane.Step) error
	Links() ([]linux.Link, error)
}

// dryKernel prints steps, and remembers them as if they were done.
type dryKernel struct {
	*linux.Kernel
	out  io.Writer
	done dataplane.Plan
}

func (k *dryKernel) Read() (dataplane.Plan, error) {
	if k.done != nil {
		return k.done, nil
	}
	return k.Kernel.Read()
}

func (k *dryKernel) Apply(steps []dataplane.Step) error {
	found, err := k.Read()
	if err != nil {
		return err
	}
	printSteps(k.out, steps)
	k.done = found
	for _, s := range steps {
		if s.New == nil {
			delete(k.done, s.Old.Key())
		} else {
			k.done[s.New.Key()] = s.New
		}
	}
	return nil
}

// node makes the kernel what the views say. Program of each server, and the watch of the
// links, call it; mu guards what follows.
type node struct {
	settings dataplane.Settings
	log      *slog.Logger
	save     func([]*view) error // nil if nothing is kept
	linger   time.Duration       // how long what is taken away is forwarded still
	now      func() time.Time
	later    func(time.Duration) // repair is to be called then

	mu       sync.Mutex
	kernel   kernel
	views    []*view
	before   dataplane.Plan // what was wanted last in this run
	settled  bool           // a server has named everything: what else is found may go
	lingers  lingering
	problems string // as they were logged last
}

// change changes a view, notes it, and programs what follows. It is noted first: after a
// crash in between, the newer one is programmed.
func (n *node) change(f func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	if n.save != nil {
		if err := n.save(n.views); err != nil {
			n.log.Error("what is to be programmed could not be noted; a restart without buoyd would go back", "err", err)
		}
	}
	return n.reconcile()
}

// repair programs what is missing, for whatever reason.
func (n *node) repair() error { return n.change(func() {}) }

// reconcile looks at the kernel, and does what is to be done. The caller holds mu.
func (n *node) reconcile() error {
	found, err := n.kernel.Read()
	if err != nil {
		return err
	}
	list, err := n.kernel.Links()
	if err != nil {
		return err
	}
	up := map[string]bool{}
	for _, l := range list {
		up[l.Name] = l.Up
	}
	all, begun := n.lingers.with(merge(n.views), n.now(), n.linger)
	if begun {
		n.later(n.linger)
	}
	wanted, problems := dataplane.Build(all, n.settings, up, found.Zones())
	n.tell(problems)
	target := wanted
	if !n.settled {
		target = dataplane.Keep(found, n.before, wanted)
	}
	steps := dataplane.Diff(found, target)
	if len(steps) == 0 {
		n.before = wanted
		return nil
	}
	if err := n.kernel.Apply(steps); err != nil {
		return fmt.Errorf("program %d changes: %w", len(steps), err)
	}
	n.before = wanted
	n.log.Info("programmed", "changes", len(steps), "first", steps[0].String())
	return nil
}

// tell logs problems when they are others than before.
func (n *node) tell(problems []error) {
	text := ""
	if len(problems) > 0 {
		text = errors.Join(problems...).Error()
	}
	if text == n.problems {
		return
	}
	n.problems = text
	for _, p := range problems {
		n.log.Warn("cannot be programmed now", "err", p)
	}
	if text == "" {
		n.log.Info("everything can be programmed")
	}
}

// once programs what a file says, and nothing else.
func (n *node) once(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p, err := dataplane.ParseProgramme(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	v := newView(file)
	v.load(p)
	n.views, n.settled = []*view{v}, true
	return n.repair()
}
