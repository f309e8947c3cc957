package programme

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// fakeSessions is what tests say of the sessions.
type fakeSessions struct {
	mu   sync.Mutex
	list []neighbor.Status
	next chan struct{}
}

func (s *fakeSessions) Neighbors() []neighbor.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

func (s *fakeSessions) Changed() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return 0, s.next
}

func (s *fakeSessions) set(list ...neighbor.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
	if s.next != nil {
		close(s.next)
	}
	s.next = make(chan struct{})
}

// gateway is a neighbor with a restart time of so many seconds, in a state, that has
// announced all of some families.
func gateway(name string, restart uint16, state neighbor.State, ended neighbor.Families) neighbor.Status {
	s := neighbor.Status{Settings: neighbor.Settings{Name: name, Families: neighbor.AllFamilies, Restart: neighbor.RestartSettings{Time: restart}}, State: state, Ended: ended}
	if state == neighbor.Established {
		s.OpenSent, s.OpenReceived = &neighbor.Open{Families: neighbor.AllFamilies}, &neighbor.Open{Families: neighbor.AllFamilies}
	}
	return s
}

// completing runs until the routes are complete, and returns after how long that was.
func completing(t *testing.T, s *fakeSessions, meanwhile func()) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		s.next = make(chan struct{})
		settled := false
		c := NewCompleteness(s, func(context.Context) error { settled = true; return nil }, slog.New(slog.DiscardHandler))
		began, ended := time.Now(), make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		if meanwhile != nil {
			meanwhile()
		}
		<-c.Done()
		if took = time.Since(began); !settled {
			t.Error("what was announced is perhaps not in the tables yet")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return took
}

// TestCompleteness: when the gateways' routes count as complete.
func TestCompleteness(t *testing.T) {
	const all, four = neighbor.VPNFamilies, neighbor.Families(1)
	vpn4 := neighbor.NewFamilies(neighbor.InetVPN)
	limited := gateway("mx1", 10, neighbor.Established, vpn4)
	limited.OpenReceived = &neighbor.Open{Families: vpn4 | neighbor.NewFamilies(neighbor.RouteTarget)}
	held := gateway("mx1", 10, neighbor.Idle, 0)
	held.Cause = neighbor.CauseQuarantined
	full := gateway("mx1", 10, neighbor.Idle, 0)
	full.Cause = neighbor.CauseMaxReceived
	other := gateway("mx1", 10, neighbor.Active, 0)
	other.Settings.Families = neighbor.NewFamilies(neighbor.RouteTarget)
	for _, tt := range []struct {
		name string
		list []neighbor.Status
		want time.Duration
	}{
		{"no neighbor", nil, 0},
		{"announced", []neighbor.Status{gateway("mx1", 10, neighbor.Established, all)}, 0},
		{"announced what was negotiated", []neighbor.Status{limited}, 0},
		{"one family missing", []neighbor.Status{gateway("mx1", 10, neighbor.Established, vpn4)}, 10 * time.Second},
		{"no session", []neighbor.Status{gateway("mx1", 0, neighbor.Active, 0)}, neighbor.DefaultRestartTime * time.Second},
		{"the slowest counts", []neighbor.Status{gateway("mx1", 10, neighbor.Active, 0), gateway("mx2", 30, neighbor.OpenSent, 0)}, 30 * time.Second},
		{"quarantined", []neighbor.Status{held}, 0},
		{"stopped for too many routes", []neighbor.Status{full}, 0},
		{"without VPN families", []neighbor.Status{other}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := completing(t, &fakeSessions{list: tt.list}, nil); got != tt.want {
				t.Errorf("after %s, want %s", got, tt.want)
			}
		})
	}
}

// TestCompletenessChanges: it is complete as soon as the last gateway has announced all,
// also when one that is awaited is removed.
func TestCompletenessChanges(t *testing.T) {
	s := &fakeSessions{list: []neighbor.Status{gateway("mx1", 100, neighbor.Active, 0), gateway("mx2", 100, neighbor.Active, 0)}}
	took := completing(t, s, func() {
		time.Sleep(3 * time.Second)
		s.set(gateway("mx1", 100, neighbor.Established, neighbor.VPNFamilies), gateway("mx2", 100, neighbor.Active, 0))
		time.Sleep(4 * time.Second)
		s.set(gateway("mx1", 100, neighbor.Established, neighbor.VPNFamilies))
	})
	if took != 7*time.Second {
		t.Errorf("after %s, want 7s", took)
	}
}
