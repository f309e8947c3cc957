package metrics

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

type table struct{}

func (table) Len() int         { return 12 }
func (table) Refused() int     { return 1 }
func (table) LenOf(uint16) int { return 0 }

// source is a node with one neighbor, of which everything is different.
func source() Source {
	mx1 := neighbor.Settings{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), AS: 64512}
	static := inventory.Static{Neighbors: []*inventory.Neighbor{{Settings: mx1}}}
	return Source{
		Inventory: func() *inventory.State { return inventory.NewState(static) },
		Living:    func() inventory.Living { return nil },
		Neighbors: func() []neighbor.Status {
			return []neighbor.Status{{Settings: mx1, State: neighbor.OpenConfirm, Since: time.Unix(100, 0), Changes: 21, Established: 22, Flaps: 23,
				Sent:       neighbor.Counters{Opens: 31, Updates: 32, Notifications: 33, Keepalives: 34, RouteRefreshes: 35, Bytes: 36},
				Received:   neighbor.Counters{Opens: 41, Updates: 42, Notifications: 43, Keepalives: 44, RouteRefreshes: 45, Bytes: 46, Refused: 47, Malformed: 48},
				Advertised: 51, MaxReached: true, Queued: 52, QueuedBytes: 53, Taken: 54, Stale: 55, Left: 56, Filtered: 57}}
		},
		Refused:    func() neighbor.Refused { return neighbor.Refused{Count: 61} },
		Table:      func() Table { return table{} },
		Imported:   func() func(uint16) int { return func(uint16) int { return 0 } },
		Reconciled: func() uint64 { return 71 },
		StoreSize:  func() (int64, error) { return 72, nil },
		Version:    "v1",
	}
}

func scrape(t *testing.T, m *Metrics, from Source) (status int, body string) {
	t.Helper()
	server := httptest.NewServer(Handler(m.Registry(from), slog.New(slog.NewTextHandler(io.Discard, nil))))
	defer server.Close()
	response, err := http.Get(server.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestValues: each number is under its own name.
func TestValues(t *testing.T) {
	m := New()
	m.Committed(2*time.Millisecond, nil, io.EOF)
	m.Committed(2*time.Millisecond, io.EOF, io.EOF)
	m.Committed(2*time.Millisecond, errors.New("disk"), io.EOF)
	m.Written(time.Minute)
	_, text := scrape(t, m, source())
	for _, want := range strings.Split(strings.TrimSpace(`
buoy_neighbor_established{neighbor="mx1"} 0
buoy_neighbor_state{neighbor="mx1"} 4
buoy_neighbor_since_timestamp_seconds{neighbor="mx1"} 100
buoy_neighbor_state_changes_total{neighbor="mx1"} 21
buoy_neighbor_sessions_total{neighbor="mx1"} 22
buoy_neighbor_flaps_total{neighbor="mx1"} 23
buoy_neighbor_messages_total{direction="sent",neighbor="mx1",type="open"} 31
buoy_neighbor_messages_total{direction="sent",neighbor="mx1",type="route-refresh"} 35
buoy_neighbor_bytes_total{direction="sent",neighbor="mx1"} 36
buoy_neighbor_messages_total{direction="received",neighbor="mx1",type="notification"} 43
buoy_neighbor_messages_total{direction="received",neighbor="mx1",type="keepalive"} 44
buoy_neighbor_bytes_total{direction="received",neighbor="mx1"} 46
buoy_neighbor_malformed_messages_total{neighbor="mx1",outcome="refused"} 47
buoy_neighbor_malformed_messages_total{neighbor="mx1",outcome="tolerated"} 48
buoy_neighbor_routes{direction="advertised",neighbor="mx1"} 51
buoy_neighbor_max_advertised_reached{neighbor="mx1"} 1
buoy_neighbor_queue_routes{neighbor="mx1"} 52
buoy_neighbor_queue_bytes{neighbor="mx1"} 53
buoy_neighbor_routes{direction="received",neighbor="mx1"} 54
buoy_neighbor_stale_routes{neighbor="mx1"} 55
buoy_neighbor_excess_routes{neighbor="mx1"} 56
buoy_neighbor_filtered_total{neighbor="mx1"} 57
buoy_refused_connections_total 61
buoy_routes 12
buoy_refused_routes 1
buoy_reconciled_revision 71
buoy_store_size_bytes 72
buoy_store_commit_seconds_bucket{le="0.001"} 0
buoy_store_commit_seconds_bucket{le="0.0025"} 3
buoy_store_commits_total{outcome="ok"} 1
buoy_store_commits_total{outcome="conflict"} 1
buoy_store_commits_total{outcome="failed"} 1
buoy_commit_to_wire_seconds_bucket{le="10"} 0
buoy_commit_to_wire_seconds_count 1`), "\n") {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestBroken: what cannot be read is left out, and the rest is there.
func TestBroken(t *testing.T) {
	from := source()
	from.Table = func() Table { panic("no table") }
	from.StoreSize = func() (int64, error) { return 0, errors.New("no file") }
	status, text := scrape(t, New(), from)
	if status != http.StatusOK || strings.Contains(text, "\nbuoy_routes ") || strings.Contains(text, "\nbuoy_store_size_bytes ") ||
		!strings.Contains(text, "\nbuoy_store_revision ") || !strings.Contains(text, "\nbuoy_neighbor_state{") {
		t.Errorf("status %d\n%s", status, text)
	}
}
