package computenode

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestSnapshot: a snapshot, changes in their order, and what is left of a network.
func TestSnapshot(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		if h := s.hello; h.GetComputeNode() != "computeNodes/cmp1" || h.GetAgentVersion() != "test 1" || h.GetResumeToken() != "" || len(h.GetFloatingIps()) != 0 {
			t.Errorf("got the hello %v", h)
		}
		s.snapshot("t1", ips(ip("a", red, 16), ip("b", blue, 17)), routes(route(red, "0.0.0.0/0", 20), route(blue, "10.0.0.0/8", 21)))
		l.expect("the snapshot", "+a:16 +b:17", "all floating IPs", "+0.0.0.0/0:20 +10.0.0.0/8:21", "all routes")
		s.change(&buoyv1.Changes{RemovedFloatingIps: []string{"b", "x"}, RemovedNetworks: []string{blue},
			WithdrawnRoutes: []*buoyv1.WithdrawnRoute{{Network: red, Prefix: "0.0.0.0/0"}, {Network: red, Prefix: "::/0"}},
			FloatingIps:     ips(ip("a", red, 16), ip("c", red, 17)), Routes: routes(route(red, "10.0.0.0/8", 22)), ResumeToken: "t2"})
		l.expect("changes", "-b -10.0.0.0/8 -0.0.0.0/0 -blue +c:17 +10.0.0.0/8:22")
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 99)), Routes: routes(route(red, "10.0.0.0/8", 22)), ResumeToken: "t3"})
		l.expect("a label", "~a:16>99")
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 99)), ResumeToken: "t4"})
		l.expect("nothing new")
		s.change(&buoyv1.Changes{RemovedFloatingIps: []string{"a"}, FloatingIps: ips(ip("a", red, 99)), ResumeToken: "t5"})
		l.expect("removed, and new", "-a +a:99")
		if f, r := l.agent.Mirror(); len(f) != 2 || len(r) != 1 {
			t.Errorf("got the mirror %v, %v", f, r)
		}
		if err := l.agent.Run(t.Context()); err == nil {
			t.Error("a second Run: got none, want an error")
		}
	})
}

// TestInterrupted: a snapshot that is interrupted removes nothing and is begun anew, also
// within a stream; what is there already is not programmed again.
func TestInterrupted(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		s.snapshot("t1", ips(ip("a", red, 16), ip("b", blue, 17)), routes(route(red, "0.0.0.0/0", 20), route(blue, "10.0.0.0/8", 21)))
		s.begin()
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("c", red, 18)), ResumeToken: "not within a snapshot"})
		s.begin() // what was mentioned counts no more
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16))})
		l.expect("two of them", "+a:16 +b:17", "all floating IPs", "+0.0.0.0/0:20 +10.0.0.0/8:21", "all routes", "+c:18")
		s.complete(buoyv1.EndOfSnapshot_FLOATING_IPS, "")
		synctest.Wait()
		l.mu.Lock()
		got := strings.Fields(l.batches[0])
		l.batches = nil
		l.mu.Unlock()
		if slices.Sort(got); !slices.Equal(got, []string{"-b", "-c", "IPs", "all", "floating"}) {
			t.Errorf("the end: got %q", got)
		}
		s.end <- status.Error(codes.Unavailable, "buoyd is stopping")
		s = l.welcome(false)
		if s.hello.GetResumeToken() != "" {
			t.Errorf("within a snapshot: got %v", s.hello)
		}
		s.begin()
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16))})
		s.complete(buoyv1.EndOfSnapshot_FLOATING_IPS, "")
		s.change(&buoyv1.Changes{Routes: routes(route(red, "0.0.0.0/0", 20))})
		l.expect("before the end", "all floating IPs")
		s.complete(buoyv1.EndOfSnapshot_ROUTES, "t2")
		l.expect("the end", "-10.0.0.0/8 -blue all routes")
	})
}

// TestResume: the Hello says what is there; a token that counts no more is followed by a
// snapshot, and one that is refused is not said again.
func TestResume(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		lose := func(s *serverStream) *buoyv1.Hello {
			synctest.Wait()
			s.end <- status.Error(codes.Unavailable, "buoyd is stopping")
			s = l.next()
			l.streams <- s
			return s.hello
		}
		has := func(what string, h *buoyv1.Hello, token, floatingIPs, networks string) {
			t.Helper()
			if h.GetResumeToken() != token || strings.Join(h.GetFloatingIps(), " ") != floatingIPs || strings.Join(h.GetNetworks(), " ") != networks {
				t.Errorf("%s: got %v", what, h)
			}
		}
		s := l.welcome(false)
		s.snapshot("t1", ips(ip("a", red, 16), ip("b", blue, 17)), routes(route(red, "0.0.0.0/0", 20)))
		has("a snapshot", lose(s), "t1", "a b", blue+" "+red)
		s = l.welcome(true)
		s.change(&buoyv1.Changes{RemovedFloatingIps: []string{"b"}, RemovedNetworks: []string{blue}})
		has("changes without a token", lose(s), "t1", "a", red)
		s = l.welcome(true)
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("b", blue, 17))})
		has("a new network without a route", lose(s), "t1", "a b", red)
		s = l.welcome(true)
		s.change(&buoyv1.Changes{Routes: routes(route(blue, "0.0.0.0/0", 17))})
		has("and with one", lose(s), "", "", "")
		s = l.welcome(false)
		s.snapshot("t2", ips(ip("a", red, 16)), routes(route(red, "0.0.0.0/0", 20)))
		has("another snapshot", lose(s), "t2", "a", red)
		s = l.welcome(false)
		s.snapshot("t3", ips(ip("a", red, 16)), nil)
		has("after one instead of changes", lose(s), "t3", "a", red)
		l.set(func() { l.batches = nil })
		began := time.Now()
		l.next().end <- status.Error(codes.InvalidArgument, "hello.resume_token: expected another one")
		s = l.welcome(false)
		has("a token that makes no sense", s.hello, "", "", "")
		if took := time.Since(began); took != maxPause {
			t.Errorf("refused: tried again after %s", took)
		}
		s.snapshot("t4", ips(ip("a", red, 16)), nil)
		l.expect("nothing new", "all floating IPs", "all routes")
	})
}

// TestRefused: what an operator must mend is logged and tried every 10 s, and nothing is
// lost.
func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"certificate": {status.Error(codes.PermissionDenied, "you are cmp2"), "the stream was refused"},
		"node":        {status.Error(codes.NotFound, "no such node"), "the stream was refused"},
		"replaced":    {replacedError(), "does another agent have this name?"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, l *lab) {
				s := l.welcome(false)
				s.snapshot("t1", ips(ip("a", red, 16)), nil)
				synctest.Wait()
				began := time.Now()
				s.end <- tt.err
				l.next().end <- tt.err
				if took := time.Since(began); took != maxPause {
					t.Errorf("tried again after %s", took)
				}
				s = l.welcome(false)
				if took := time.Since(began); took != 2*maxPause {
					t.Errorf("tried a third time after %s", took)
				}
				s.snapshot("t2", ips(ip("a", red, 16)), nil)
				l.expect("all in all", "+a:16", "all floating IPs", "all routes", "all floating IPs", "all routes")
				if got := l.log.String(); !strings.Contains(got, tt.want) {
					t.Errorf("want %q in the log, got\n%s", tt.want, got)
				}
			})
		})
	}
}

// TestAway: pauses grow up to 10 s while nobody is there, and begin anew after a Welcome.
func TestAway(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		s.snapshot("t1", ips(ip("a", red, 16)), nil)
		synctest.Wait()
		l.set(func() { l.away, l.dials = true, nil })
		s.end <- nil
		time.Sleep(5 * time.Minute)
		l.set(func() { l.away = false })
		s = l.welcome(true)
		var gaps []time.Duration
		l.set(func() {
			for i := range l.dials[1:] {
				gaps = append(gaps, l.dials[i+1].Sub(l.dials[i]))
			}
		})
		if gaps[0] > 200*time.Millisecond || slices.Max(gaps) > maxPause || slices.Max(gaps) < maxPause/2 || len(gaps) > 5*12+10 {
			t.Errorf("got the pauses %s", gaps)
		}
		if s.hello.GetResumeToken() != "t1" {
			t.Errorf("got %v, want to resume", s.hello)
		}
		if n := strings.Count(l.log.String(), "nobody is there"); n != 1 {
			t.Errorf("the log says %d times that nobody is there, want once", n)
		}
		began := time.Now()
		s.end <- nil
		l.welcome(true)
		if took := time.Since(began); took > firstPause {
			t.Errorf("after a Welcome: a pause of %s", took)
		}
	})
}
