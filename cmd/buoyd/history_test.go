package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
)

// ofDaemon returns what the history tells of the daemon, and of interfaces.
func (l *lived) ofDaemon() (list []string) {
	l.Helper()
	first, next, _ := l.store.Kept()
	events, err := l.store.Events(first, int(next-first))
	if err != nil {
		l.Fatal(err)
	}
	for _, e := range events {
		switch {
		case e.Kind == history.Stopped:
			list = append(list, "stopped")
		case e.Kind == history.Started && strings.Contains(e.Reason, "without a stop"):
			list = append(list, "started after a crash")
		case e.Kind == history.Started && strings.Contains(e.Reason, "was stopped"):
			list = append(list, "started after a stop")
		case e.Kind == history.Started:
			list = append(list, "started")
		case e.Part != "":
			list = append(list, e.Subject+" "+e.Part+" "+e.Before+" "+e.After+" "+e.Reason)
		}
	}
	return list
}

// TestHistoryOfDaemon: each start says how the last run ended; interfaces are told.
func TestHistoryOfDaemon(t *testing.T) {
	h := newHome(t)
	l := live(t, h)
	l.stop()
	l = live(t, h)
	l.turned([]computenode.Turn{{ComputeNode: aliveNode, Interface: "tap0", Before: inventory.InterfaceUp, After: inventory.InterfaceDown, Reason: "cable"}}, 0)
	l.begun = false // it does not come to tell that it stops
	l.stop()
	l = live(t, h)
	want := []string{"started", "stopped", "started after a stop", aliveNode + " interface tap0 UP DOWN cable"}
	if got := l.ofDaemon(); !slices.Equal(got[:min(len(want), len(got))], want) {
		t.Errorf("got %q, want %q", got, want)
	}
	l.stop()
	l = live(t, h)
	defer l.stop()
	want = append(want, "started after a crash", "stopped")
	if got := l.ofDaemon(); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
