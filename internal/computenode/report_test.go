package computenode

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

func TestReportRefused(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	s := w.open(cmp1)
	good := inventory.InterfaceReport{Name: "tap0", State: inventory.InterfaceUp}
	for _, tt := range []struct {
		bad  inventory.InterfaceReport
		want string
	}{
		{inventory.InterfaceReport{Name: ""}, "interfaces[1].name: expected the name"},
		{inventory.InterfaceReport{Name: "a/b"}, "interfaces[1].name: expected printable"},
		{inventory.InterfaceReport{Name: "tap1", State: 4}, "interfaces[1].state: the enumeration has no value 4"},
		{inventory.InterfaceReport{Name: "tap1", Preference: 3}, "interfaces[1].preference: the enumeration has no value 3"},
		{inventory.InterfaceReport{Name: "tap1", Reason: strings.Repeat("x", 201)}, "interfaces[1].reason: expected at most 200 bytes, got 201"},
		{inventory.InterfaceReport{Name: "tap1", Reason: "\xff"}, "interfaces[1].reason: expected UTF-8"},
		{inventory.InterfaceReport{Name: "tap1", Reason: "\x1b[2J"}, "interfaces[1].reason: expected no control characters"},
	} {
		if err := s.Report([]inventory.InterfaceReport{good, tt.bad}, true); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v\n got %v\nwant %s", tt.bad, err, tt.want)
		}
	}
	if _, err := w.Open(cmp1, "", strings.Repeat("x", 201)); err == nil || !strings.HasPrefix(err.Error(), "agent_version: ") {
		t.Errorf("a long agent_version: %v", err)
	}
	w.expect("nothing was taken", cmp1, "up")
}

// TestTooMany: a compute node has at most so many interfaces, which includes none
// that it has taken back, nor those of an older stream.
func TestTooMany(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	s := w.open(cmp1)
	many := func(from, to int, state inventory.InterfaceState) (list []inventory.InterfaceReport) {
		for i := from; i < to; i++ {
			list = append(list, inventory.InterfaceReport{Name: fmt.Sprint("tap", i), State: state})
		}
		return list
	}
	refused := func(what string, list []inventory.InterfaceReport) {
		t.Helper()
		if err := s.Report(list, false); err == nil || !strings.HasPrefix(err.Error(), "interfaces: expected at most 4096 interfaces of a compute node, got 4097") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	taken := func(what string, list []inventory.InterfaceReport, complete bool) {
		t.Helper()
		if err := s.Report(list, complete); err != nil {
			t.Errorf("%s: got %v", what, err)
		}
	}
	taken("as many as may be", many(0, 4096, inventory.InterfaceUp), true)
	taken("again", many(0, 4096, inventory.InterfaceDown), false)
	refused("one more", many(4096, 4097, inventory.InterfaceUp))
	taken("one less", many(0, 1, inventory.InterfaceUnknown), false)
	taken("another one", many(4096, 4097, inventory.InterfaceUp), false)
	s = w.open(cmp1)
	refused("too many", many(10_000, 14_097, inventory.InterfaceUp))
	taken("others", many(10_000, 14_096, inventory.InterfaceUp), false)
	taken("and that is all", nil, true)
	if got := len(w.Interfaces(cmp1)); got != 4096 {
		t.Errorf("%d interfaces, want 4096", got)
	}
	w.Take()
	w.sleep(30 * time.Second)
	w.sleep(120 * time.Second)
	if got := w.told(); len(got) != 4096 {
		t.Errorf("%d places, want 4096", len(got))
	}
}

// TestPlaces: what nobody takes does not grow.
func TestPlaces(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session, cmp2: session})
	s := w.open(cmp1)
	for i := range 3 * maxPlaces {
		name := fmt.Sprint("tap", i)
		w.report(s, false, name+" up")
		w.report(s, false, name+" unknown")
	}
	w.report(w.open(cmp2), false, "tap0 up")
	w.expectTold("thousands", "cmp1", "cmp2 tap0")
}
