package computenode

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestKeepAlives: something is sent every third of the hold time, as it is now, also while
// Program is busy.
func TestKeepAlives(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.welcome(false)
		count := func(what string, of time.Duration, every time.Duration) {
			t.Helper()
			synctest.Wait()
			for range len(s.in) {
				<-s.in
			}
			for range 5 { // the server is not silent, either
				time.Sleep(of / 5)
				s.keepAlive(0)
			}
			synctest.Wait()
			if got, want := len(s.in), int(of/every); got < want-1 || got > want+1 {
				t.Errorf("%s: got %d keep-alives, want %d", what, got, want)
			}
		}
		count("at first", time.Minute, 10*time.Second)
		s.keepAlive(3)
		count("a shorter time", 10*time.Second, time.Second)
		s.keepAlive(90)
		count("a longer one", 4*time.Minute, 30*time.Second)
		l.set(func() { l.slow = 10 * time.Minute })
		s.change(&buoyv1.Changes{FloatingIps: ips(ip("a", red, 16))})
		synctest.Wait()
		for range len(s.in) {
			<-s.in
		}
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if got := len(s.in); got < 19 || got > 21 {
			t.Errorf("while Program is busy: got %d keep-alives, want 20", got)
		}
		if s.stream.Context().Err() != nil {
			t.Error("a busy Program has ended the stream")
		}
	})
}

// TestSilent: a server that says nothing for the hold time is lost, and so is one that
// does not answer. What is there stays.
func TestSilent(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		began := time.Now()
		s := l.next()
		<-s.stream.Context().Done()
		if took := time.Since(began); took != greeting {
			t.Errorf("without a Welcome: lost after %s", took)
		}
		s = l.welcome(false)
		s.snapshot("t1", ips(ip("a", red, 16)), nil)
		s.keepAlive(3)
		synctest.Wait()
		began = time.Now()
		<-s.stream.Context().Done()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("silent: lost after %s", took)
		}
		s = l.welcome(true)
		if h := s.hello; h.GetResumeToken() != "t1" || len(h.GetFloatingIps()) != 1 {
			t.Errorf("got %v, want to resume", h)
		}
		for _, want := range []string{"the server did not answer within 10s", "the server was silent for the hold time, 3s"} {
			if !strings.Contains(l.log.String(), want) {
				t.Errorf("want %q in the log, got\n%s", want, l.log.String())
			}
		}
	})
}

// TestNonsense: a server that begins without a Welcome is left.
func TestNonsense(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		s := l.next()
		s.begin()
		<-s.stream.Context().Done()
		s = l.welcome(false)
		s.send(&buoyv1.AttachResponse{}) // a newer server's
		s.snapshot("t1", ips(ip("a", red, 16)), nil)
		l.expect("after all", "+a:16", "all floating IPs", "all routes")
	})
}
