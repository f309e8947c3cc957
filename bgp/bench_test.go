package bgp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

const (
	as       = 64512
	patience = 20 * time.Second // before a benchmark gives up

	speakerID = "10.0.1.2" // no sink takes it: theirs are 10.0.0.x
)

func settingsOf(name string, addr netip.AddrPort) neighbor.Settings {
	return neighbor.Settings{
		Name: name, Address: addr.Addr(), Port: addr.Port(), AS: as,
		Families: neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN),
	}
}

// BenchmarkBringUp measures how long a session takes from the moment that both
// sides are configured: with a router that waits, one that connects, and both
// at once; and after a loss.
func BenchmarkBringUp(b *testing.B) {
	for _, mode := range []struct {
		name             string
		weWait, theyWait bool
	}{{"we connect", false, true}, {"they connect", true, false}, {"both connect", false, false}} {
		b.Run(mode.name, func(b *testing.B) {
			net, err := lab.NewLoopback()
			if err != nil {
				b.Fatal(err)
			}
			we, they := run(b, net.Host(1).String(), speakerID), run(b, net.Host(2).String(), "10.0.0.1")
			ours, theirs := settingsOf("they", net.Host(2)), settingsOf("we", net.Host(1))
			ours.Passive, theirs.Passive = mode.weWait, mode.theyWait
			var first, again time.Duration
			for b.Loop() {
				// The side that connects is told last, or it finds nobody.
				start := time.Now()
				if mode.theyWait {
					tell(b, they, theirs)
				}
				tell(b, we, ours)
				if !mode.theyWait {
					tell(b, they, theirs)
				}
				up(b, we)
				first += time.Since(start)

				start = time.Now()
				tell(b, they) // the session is lost
				tell(b, they, theirs)
				up(b, they)
				up(b, we)
				again += time.Since(start)
				tell(b, they)
				tell(b, we)
			}
			b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "ms-first")
			b.ReportMetric(float64(again.Milliseconds())/float64(b.N), "ms-after-loss")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func run(b *testing.B, address, id string) *Speaker {
	s, err := Start(b.Context(), Config{
		AS: as, RouterID: netip.MustParseAddr(id), Listen: []string{address}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return s
}

func tell(b *testing.B, s *Speaker, neighbors ...neighbor.Settings) {
	if err := s.SetNeighbors(b.Context(), neighbors); err != nil {
		b.Fatal(err)
	}
}

func up(b *testing.B, s *Speaker) {
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	err := lab.Poll(ctx, "a session", func(context.Context) error {
		if status := s.Neighbors()[0]; status.State != neighbor.Established {
			return fmt.Errorf("%s: %s", status.State, status.Reason)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
