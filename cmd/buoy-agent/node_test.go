package main

import (
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/api/computenode"
	"github.com/buoynet/buoy/internal/dataplane"
	"github.com/buoynet/buoy/internal/dataplane/linux"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// model is a kernel that takes every step.
type model struct {
	has   dataplane.Plan
	links []linux.Link
	steps []dataplane.Step // of all calls
	err   error
}

func (m *model) Read() (dataplane.Plan, error) { return maps.Clone(m.has), m.err }

func (m *model) Links() ([]linux.Link, error) { return m.links, nil }

func (m *model) Apply(steps []dataplane.Step) error {
	m.steps = append(m.steps, steps...)
	for _, s := range steps {
		if s.New == nil {
			delete(m.has, s.Old.Key())
		} else {
			m.has[s.New.Key()] = s.New
		}
	}
	return nil
}

func (m *model) holds(key string) bool { return m.has[key] != nil }

var settings = dataplane.Settings{Address: netip.MustParseAddr("10.0.0.11"), MTU: 1500, UDPPort: 6635, Encapsulations: []dataplane.Encapsulation{dataplane.GRE}}

// start starts an agent's run on a kernel, with the file of an earlier one.
func start(t *testing.T, m *model, file string, servers ...string) *node {
	t.Helper()
	n := &node{settings: settings, kernel: m, log: slog.New(slog.DiscardHandler), save: saver(file), now: time.Now}
	for _, s := range servers {
		n.views = append(n.views, newView(s))
	}
	if err := recall(file, n.views); err != nil {
		t.Fatal(err)
	}
	if err := n.repair(); err != nil {
		t.Fatal(err)
	}
	return n
}

var count uint64

// say has a server send a batch, as attach takes it.
func (n *node) say(t *testing.T, server int, b computenode.Batch) {
	t.Helper()
	count++
	v := n.views[server]
	err := n.change(func() {
		v.take(b, count)
		n.settled = n.settled || v.complete()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func floatingIP(name string, label uint32) computenode.Change[*buoyv1.NodeFloatingIP] {
	return computenode.Change[*buoyv1.NodeFloatingIP]{New: &buoyv1.NodeFloatingIP{Name: name, Network: "n", Label: label,
		Address: fmt.Sprintf("203.0.113.%d", label), FixedIp: fmt.Sprintf("10.47.0.%d", label), Interface: fmt.Sprintf("tap%d", label)}}
}

func route(prefix string, label uint32) computenode.Change[*buoyv1.NodeRoute] {
	return computenode.Change[*buoyv1.NodeRoute]{New: &buoyv1.NodeRoute{Network: "n", Prefix: prefix,
		NextHops: []*buoyv1.NextHop{{Address: "10.0.0.1", Label: label, Encapsulations: []string{"gre"}}}}}
}

type (
	floatingIPs = []computenode.Change[*buoyv1.NodeFloatingIP]
	routes      = []computenode.Change[*buoyv1.NodeRoute]
)

func newModel() *model {
	m := &model{has: dataplane.Plan{}}
	for n := range 30 {
		m.links = append(m.links, linux.Link{Name: fmt.Sprintf("tap%d", n), Up: true})
	}
	return m
}

// A run that finds all in place does nothing, neither before nor after buoyd has said the
// same again; and what has gone meanwhile goes when all was said, not before.
func TestStartAgain(t *testing.T) {
	m, file := newModel(), filepath.Join(t.TempDir(), "state", "programme.json")
	n := start(t, m, file, "cp1")
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20), floatingIP("b", 21)}, AllFloatingIPs: true})
	n.say(t, 0, computenode.Batch{Routes: routes{route("0.0.0.0/0", 16)}, AllRoutes: true})
	if !m.holds("label 20") || !m.holds("label 21") {
		t.Fatalf("has\n%s", m.has)
	}

	m.steps = nil
	n = start(t, m, file, "cp1")
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20)}, AllFloatingIPs: true})
	n.say(t, 0, computenode.Batch{Routes: routes{route("0.0.0.0/0", 16)}})
	for _, s := range m.steps {
		if !strings.Contains(s.String(), "203.0.113.21") && !strings.Contains(s.String(), "10.47.0.21") && s.Old == nil {
			t.Errorf("an agent that starts again did %s", s)
		}
		if s.New == nil && strings.Contains(s.String(), "label 20") {
			t.Errorf("removed what stays: %s", s)
		}
	}
	n.say(t, 0, computenode.Batch{AllRoutes: true})
	if m.holds("label 21") || !m.holds("label 20") {
		t.Errorf("after all was said it has\n%s", m.has)
	}

	// Without the file nothing goes before all was said.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	m.steps = nil
	n = start(t, m, file, "cp1")
	n.say(t, 0, computenode.Batch{AllFloatingIPs: true})
	if len(m.steps) > 0 {
		t.Errorf("a run that knows nothing did %v", m.steps)
	}
	n.say(t, 0, computenode.Batch{AllRoutes: true})
	if m.holds("label 20") {
		t.Error("a floating IP that nobody has is still there")
	}
}

// Two control nodes: what one has withdrawn stays while the other has it; what was said
// last counts; and one that is never heard again keeps what it said.
func TestTwoServers(t *testing.T) {
	m, file := newModel(), filepath.Join(t.TempDir(), "programme.json")
	n := start(t, m, file, "cp1", "cp2")
	for server := range 2 {
		n.say(t, server, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20)}, Routes: routes{route("0.0.0.0/0", 16)}, AllFloatingIPs: true, AllRoutes: true})
	}
	n.say(t, 0, computenode.Batch{RemovedRoutes: []*buoyv1.NodeRoute{route("0.0.0.0/0", 16).New}})
	if !strings.Contains(m.has.String(), "0.0.0.0/0 label 16") {
		t.Errorf("the route of the second went with that of the first:\n%s", m.has)
	}
	n.say(t, 1, computenode.Batch{Routes: routes{route("0.0.0.0/0", 17)}})
	n.say(t, 0, computenode.Batch{Routes: routes{route("0.0.0.0/0", 18)}})
	if !strings.Contains(m.has.String(), "0.0.0.0/0 label 18") {
		t.Errorf("what was said last does not count:\n%s", m.has)
	}
	m.steps = nil
	n = start(t, m, file, "cp1", "cp2")
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20)}, AllFloatingIPs: true, Routes: routes{route("0.0.0.0/0", 18)}, AllRoutes: true})
	for _, s := range m.steps {
		if s.New == nil {
			t.Errorf("%s, and the second control node has not said anything", s)
		}
	}
}

// An interface that is not there yet is waited for; a floating IP that makes no sense
// keeps no other one out.
func TestWaits(t *testing.T) {
	m := newModel()
	m.links = nil
	n := start(t, m, filepath.Join(t.TempDir(), "programme.json"), "cp1")
	bad := floatingIP("b", 21)
	bad.New.Interface = "a-name-that-no-kernel-has"
	n.say(t, 0, computenode.Batch{FloatingIPs: floatingIPs{floatingIP("a", 20), bad}})
	if strings.Contains(m.has.String(), "dev tap20") || !m.holds("label 20") || m.holds("label 21") {
		t.Errorf("has\n%s", m.has)
	}
	if !strings.Contains(n.problems, "a-name-that-no-kernel-has") || !strings.Contains(n.problems, "tap20 is not there") {
		t.Errorf("problems: %s", n.problems)
	}
	m.links = []linux.Link{{Name: "tap20", Up: true}}
	if err := n.repair(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.has.String(), "dev tap20") {
		t.Errorf("has\n%s", m.has)
	}
}

// A file that makes no sense is an error that names it, and loads nothing.
func TestRecall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "programme.json")
	for _, text := range []string{"{", `{"servers": [{"server": "cp1", "programme": {"routes": [{}]}}]}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := newView("cp1")
		if err := recall(file, []*view{v}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", text, err)
		}
		if len(v.routes) > 0 {
			t.Errorf("%s: loaded something", text)
		}
	}
}
