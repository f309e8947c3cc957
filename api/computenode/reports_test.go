package computenode

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	up        = buoyv1.ComputeInterface_UP
	down      = buoyv1.ComputeInterface_DOWN
	forgotten = buoyv1.ComputeInterface_STATE_UNSPECIFIED
)

func iface(name string, state buoyv1.ComputeInterface_State) *buoyv1.ComputeInterface {
	return &buoyv1.ComputeInterface{Name: name, State: state}
}

// heard returns what a stream was told of interfaces since the last time.
func (s *serverStream) heard() string {
	synctest.Wait()
	var words []string
	for range len(s.in) {
		m := <-s.in
		for _, i := range m.GetReport().GetInterfaces() {
			words = append(words, strings.TrimSuffix(fmt.Sprintf("%s:%s", i.GetName(), i.GetState()), ":STATE_UNSPECIFIED"))
		}
		if m.GetReport().GetComplete() {
			words = append(words, "complete")
		}
	}
	return strings.Join(words, " ")
}

// TestReports: each stream hears of everything, what changes at once, and that it is
// complete only when the owner has said so.
func TestReports(t *testing.T) {
	within(t, func(t *testing.T, l *lab) {
		heard := func(what string, s *serverStream, want string) {
			t.Helper()
			if got := s.heard(); got != want {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		report := func(list ...*buoyv1.ComputeInterface) {
			t.Helper()
			if err := l.agent.Report(list...); err != nil {
				t.Error(err)
			}
		}
		report(iface("tap0", up), iface("tap1", up))
		s := l.next()
		heard("before the Welcome", s, "")
		s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Welcome{Welcome: &buoyv1.Welcome{HoldTime: 30}}})
		heard("at first", s, "tap0:UP tap1:UP")
		began := time.Now()
		report(iface("tap1", down))
		heard("a change", s, "tap1:DOWN")
		report(iface("tap1", down))
		heard("no change", s, "")
		report(iface("tap1", forgotten), iface("tap2", up))
		heard("one forgotten, one new", s, "tap1 tap2:UP")
		if time.Since(began) != 0 {
			t.Error("reports have waited")
		}
		s.end <- nil
		s = l.welcome(false)
		heard("another stream, not complete", s, "tap1 tap0:UP tap2:UP")
		l.agent.Complete()
		heard("complete", s, "complete")
		l.agent.Complete()
		heard("complete once more", s, "")
		s.end <- nil
		synctest.Wait()
		if err := l.agent.Forget("tap2", "tap9"); err != nil {
			t.Error(err)
		}
		report(iface("tap3", down))
		s = l.welcome(true)
		heard("another stream, complete", s, "tap0:UP tap3:DOWN complete")
	})
}

// TestReportRefused: what would end each stream is not noted.
func TestReportRefused(t *testing.T) {
	r := newReports()
	for _, bad := range []*buoyv1.ComputeInterface{nil, iface("", up), iface("a/b", up), iface("a b", up), iface("é", up),
		iface(strings.Repeat("a", 65), up), iface("a", 9), {Name: "a", State: up, Preference: 9}} {
		if err := r.report([]*buoyv1.ComputeInterface{iface("good", up), bad}); err == nil || !strings.HasPrefix(err.Error(), "report") {
			t.Errorf("%v: got %v, want an error", bad, err)
		}
	}
	if list := r.take(); len(list) != 0 {
		t.Errorf("got %v, want nothing", list)
	}
	for _, reason := range []string{strings.Repeat("é", 150), "a\nb\xff\x00", strings.Repeat("a", 199) + "é"} {
		if got := readable(reason); len(got) > maxText || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x00") {
			t.Errorf("got the reason %q", got)
		}
	}
}

// TestReportRoom: as many interfaces as a stream may have, over and over: what is
// forgotten makes room first, and no message makes Buoy count too many.
func TestReportRoom(t *testing.T) {
	r := newReports()
	mentioned := map[string]bool{}
	take := func() {
		for _, m := range r.take() {
			for _, i := range m.GetInterfaces() {
				if mentioned[i.GetName()] = true; len(mentioned) > maxInterfaces {
					t.Fatalf("%d interfaces in a stream", len(mentioned))
				}
			}
			for _, i := range m.GetInterfaces() {
				if i.GetState() == forgotten {
					delete(mentioned, i.GetName())
				}
			}
		}
	}
	list := func(from, to int, state buoyv1.ComputeInterface_State) (list []*buoyv1.ComputeInterface) {
		for i := from; i < to; i++ {
			list = append(list, iface(fmt.Sprint("tap", i), state))
		}
		return list
	}
	for round := range 5 {
		if round == 3 {
			r.finish()
		}
		from := round * maxInterfaces / 2
		if err := r.report(append(list(from-maxInterfaces, from, forgotten), list(from, from+maxInterfaces, up)...)); err != nil {
			t.Fatal(err)
		}
		if err := r.report(list(0, 1, up)); round > 1 && err == nil {
			t.Error("one too many: got none, want an error")
		}
		take()
		if round%2 == 1 {
			clear(mentioned)
			r.begin()
			take()
		}
		if len(r.newest)+len(r.gone) > maxInterfaces || len(mentioned) != maxInterfaces {
			t.Errorf("got %d interfaces and %d forgotten ones, %d mentioned", len(r.newest), len(r.gone), len(mentioned))
		}
	}
}

// TestReportsCoalesce: a hundred thousand changes before they can be sent are one message.
func TestReportsCoalesce(t *testing.T) {
	r := newReports()
	for i := range 100_000 {
		if err := r.report([]*buoyv1.ComputeInterface{iface(fmt.Sprint("tap", i%10), up-1+buoyv1.ComputeInterface_State(1+i/10%2))}); err != nil {
			t.Fatal(err)
		}
	}
	list := r.take()
	if len(list) != 1 || len(list[0].GetInterfaces()) != 10 || list[0].GetInterfaces()[0].GetState() != down {
		t.Errorf("got %v, want one report of ten interfaces", list)
	}
}
