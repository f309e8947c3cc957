package computenode

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestProgramFails: what failed comes again with a snapshot, after pauses that grow although
// streams are welcomed; what may be half done and is not wanted any more is removed.
func TestProgramFails(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		s.snapshot("t1", ips(ip("a", red, 16), ip("b", red, 17)), routes(route(red, "0.0.0.0/0", 20)))
		l.expect("at first", "+a:16 +b:17", "all floating IPs", "+0.0.0.0/0:20", "all routes")
		l.set(func() { l.fail = errors.New("no such table") })
		s.change(&buoyv1.Changes{RemovedFloatingIps: []string{"b"}, FloatingIps: ips(ip("a", red, 26), ip("c", red, 18)), ResumeToken: "t2"})
		var gaps []time.Duration
		for range 12 {
			began := time.Now()
			s = l.welcome(false)
			gaps = append(gaps, time.Since(began))
			if s.hello.GetResumeToken() != "" {
				t.Fatalf("got %v, want a snapshot", s.hello)
			}
			s.begin()
			s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 36), ip("d", red, 19))})
			synctest.Wait()
		}
		if gaps[0] > firstPause || slices.Max(gaps) < maxPause/2 || slices.Max(gaps) > maxPause {
			t.Errorf("got the pauses %s", gaps)
		}
		if f, _ := l.agent.Mirror(); len(f) != 2 {
			t.Errorf("got the mirror %v, want what was programmed", f)
		}
		l.set(func() { l.fail, l.batches = nil, nil })
		s = l.welcome(false)
		s.begin()
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16), ip("b", red, 17))})
		l.expect("it works again", "~a:16>16 ~b:17>17")
		s.complete(buoyv1.EndOfSnapshot_FLOATING_IPS, "")
		synctest.Wait()
		l.set(func() {
			if got := l.batches[0]; got != "-c -d all floating IPs" && got != "-d -c all floating IPs" {
				t.Errorf("the end: got %q", got)
			}
		})
		if !strings.Contains(l.log.String(), "no such table") {
			t.Errorf("the log says\n%s", l.log.String())
		}
	})
}

// TestProgrammed: the agent says what it has programmed, once it has.
func TestProgrammed(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		if !s.hello.GetAcknowledges() {
			t.Error("the Hello does not promise it")
		}
		said := func() (list []uint64) {
			synctest.Wait()
			for len(s.in) > 0 {
				if m := (<-s.in).GetProgrammed(); m != nil {
					list = append(list, m.GetRevision())
				}
			}
			return list
		}
		expect := func(what string, want ...uint64) {
			t.Helper()
			if got := said(); !slices.Equal(got, want) {
				t.Errorf("%s: it has said %d, want %d", what, got, want)
			}
		}
		s.begin()
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16))})
		expect("within a snapshot")
		s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_EndOfSnapshot{EndOfSnapshot: &buoyv1.EndOfSnapshot{Part: buoyv1.EndOfSnapshot_FLOATING_IPS, Revision: 7}}})
		expect("at the end of a part", 7)
		s.change(&buoyv1.Changes{Routes: routes(route(red, "0.0.0.0/0", 20)), Revision: 7})
		expect("nothing new")
		l.set(func() { l.slow = time.Second })
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("b", red, 17)), Revision: 9})
		expect("while it is programmed")
		time.Sleep(2 * time.Second)
		expect("then", 9)
		l.set(func() { l.slow, l.fail = 0, errors.New("no such table") })
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("c", red, 18)), Revision: 11})
		expect("what has failed")
	})
}

// TestStops: Run ends at once, whatever is under way, and gives Program its context.
func TestStops(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		began := time.Now()
		s := l.welcome(false)
		l.agent.program = func(ctx context.Context, b Batch) error { <-ctx.Done(); return ctx.Err() }
		s.begin()
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16))})
		synctest.Wait()
		l.stop()
		l.stop = func() {}
		if took := time.Since(began); took > 0 {
			t.Errorf("took %s", took)
		}
	})
}
