package integration

import (
	"slices"
	"strconv"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// TestExtendedMessages: routers that take extended messages (RFC 8654) get far
// fewer UPDATEs, and have every route. The others get messages of 4096 bytes.
func TestExtendedMessages(t *testing.T) {
	const routes = 3000
	w := newWorld(t)
	w.stocked(routes)
	want := w.labels()
	for name, kind := range map[string]string{"mx1": "frr", "mx2": "bird", "mx3": "gobgp"} {
		w.hasLabels(gateway{name, w.router(kind, name).(lab.Tracer)}, want)
		session := w.neighborState(name).Session
		sent, err := strconv.Atoi(session.Sent.Updates)
		if err != nil {
			t.Fatal(err)
		}
		extended := slices.Contains(session.OpenReceived.Capabilities, int(neighbor.CapExtendedMessage))
		t.Logf("%s: %d routes in %d UPDATEs, extended messages: %t", kind, routes, sent, extended)
		// A route is 16 bytes, and what all have in common less than 100.
		size := 4096
		if extended {
			size = 65535
		}
		if most := routes*16/(size-100) + 1 + 2; sent > most { // with two End-of-RIBs
			t.Errorf("%s: %d UPDATEs, want at most %d", kind, sent, most)
		}
		if kind == "bird" && !extended {
			t.Error("BIRD does not offer extended messages: they were not tested")
		}
	}
}
