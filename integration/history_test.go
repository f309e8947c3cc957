package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// happening is what the tests read of an event.
type happening struct {
	Kind, Subject, Method, Who, Reason string
	UserAgent                          string `json:"user_agent"`
	Changes                            []struct{ Field, Before, After string }
}

func (h happening) String() string {
	parts := []string{h.Subject[strings.LastIndexByte(h.Subject, '/')+1:], h.Kind, h.Method}
	for _, c := range h.Changes {
		parts = append(parts, c.Field, c.Before, "→", c.After)
	}
	return strings.Join(append(parts, h.Reason, "by", h.Who), " ")
}

// events returns what get events shows.
func (w *world) events(flags string) (list []happening) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.ctl("get events -o json "+flags)), &list); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// tells waits until the events have these words in this order, each in an event behind
// that of the one before.
func (w *world) tells(flags string, words ...[]string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("get events %s tells %q", flags, words), func(context.Context) error {
		rest := words
		list := w.events(flags)
		for _, e := range list {
			missing := func(word string) bool { return !strings.Contains(e.String(), word) }
			if len(rest) > 0 && !slices.ContainsFunc(rest[0], missing) {
				rest = rest[1:]
			}
		}
		if len(rest) > 0 {
			return fmt.Errorf("it does not tell %q; it tells\n%v", rest[0], list)
		}
		return nil
	})
}

// TestHistory: a router goes down and comes back, an association is moved, a compute node
// is drained, buoyd is killed with -9: the history tells it in order, and who did it.
func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp2 --address 10.0.0.12 --encapsulation gre")
	g := w.router("bird", "mx1")
	w.associate()
	w.wantVPN(g, lab.VPNv4, web1)
	w.tells("--for mx1", []string{"CREATED", "by root (uid"}, []string{"→ ESTABLISHED"})
	w.tells("--for web-1", []string{"→ ADVERTISED"})
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	w.tells("--for mx1", []string{"→ ESTABLISHED"}, []string{"state ESTABLISHED →", "Cease"})
	if err := g.Start(w.deadline()); err != nil {
		t.Fatal(err)
	}
	w.wantVPN(g, lab.VPNv4, web1)
	w.tells("--for mx1", []string{"→ ESTABLISHED"}, []string{"ESTABLISHED →", "Cease"}, []string{"→ ESTABLISHED"})
	w.ctl("move floatingip web-1 --computenode cmp2 --interface tap7 --fixed-ip 10.47.255.250 --label 200")
	w.wantVPN(g, lab.VPNv4, web1At2)
	w.ctl("drain computenode cmp1 --wait 0")
	w.becomes("cmp1", "DRAINED")
	w.ctl("set network vn-public --import-target target:64512:77")
	w.buoyd.Kill()
	w.restart()
	w.wantVPN(g, lab.VPNv4, web1At2)
	moved := []string{"web-1 CHANGED FloatingIPs.Move", "computeNodes/cmp1", "→ [{compute_node: computeNodes/cmp2", "by root (uid"}
	w.tells("",
		[]string{"bgp CREATED", "by buoyd (configuration)"},
		[]string{"STARTED"},
		[]string{"web-1 CREATED FloatingIPs.Allocate"},
		[]string{"mx1 CREATED"},
		[]string{"web-1 CHANGED FloatingIPs.Associate"},
		[]string{"mx1 OBSERVED", "ESTABLISHED →", "Cease"},
		[]string{"mx1 OBSERVED", "→ ESTABLISHED"},
		moved,
		[]string{"cmp1 CHANGED ComputeNodes.DrainComputeNode"},
		[]string{"vn-public CHANGED Networks.UpdateNetwork", "import_targets  → [target:64512:77]", "by root (uid"},
		[]string{"STARTED", "crashed, was killed"},
		[]string{"mx1 OBSERVED", "→ ESTABLISHED"})
	w.tells("--for web-1", []string{"CREATED"}, []string{"→ ADVERTISED"}, []string{"ADVERTISED → PENDING", "mx1"}, []string{"→ ADVERTISED"}, moved)
	w.tells("--for 203.0.113.5", []string{"CREATED"}, moved)
	w.tells("--for cmp1", []string{"cmp1 CREATED"}, []string{"FloatingIPs.Associate"}, moved, []string{"DrainComputeNode"})
	for _, e := range w.events("--for cmp2 --since 1h") {
		if strings.Contains(e.Subject, "mx1") || e.Method != "" && !strings.HasPrefix(e.UserAgent, "buoyctl/") {
			t.Errorf("of cmp2: %v %s", e, e.UserAgent)
		}
	}
	if err := w.buoyd.Stop(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.tells("", []string{"STOPPED"}, []string{"STARTED", "the last run was stopped"})
}
