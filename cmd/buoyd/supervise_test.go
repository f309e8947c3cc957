package main

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// What is written before a crash can be read after it.
func TestFlight(t *testing.T) {
	ours, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(ours.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := openFlight(uintptr(fd))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"10.0.0.1", "2001:db8::1"} {
		theirs.note(netip.MustParseAddr(text))
		theirs.put(flightAlive, theirs.get(flightTime).Add(time.Second))
		if addr, before := ours.last(); addr.String() != text || before != time.Second {
			t.Errorf("got %s %s before, want %s", addr, before, text)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- theirs.run(ctx) }()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, before := ours.last(); before != time.Second {
			break // a sign of life
		}
		if time.Since(begin) > patience {
			t.Fatal("there is no sign of life")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A neighbor is blamed when its message came right before the crash, and has no
// session after the third time.
func TestBlame(t *testing.T) {
	f, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	s := supervisor{log: silent(), flight: f, blamed: map[netip.Addr][]time.Time{}}
	s.blame() // nobody was there
	crash := func(after time.Duration) {
		f.put(flightAlive, f.get(flightTime).Add(after))
		s.blame()
	}
	for n := range 3 {
		if list := s.quarantine(); len(list) != 0 {
			t.Errorf("after %d crashes: %v", n, list)
		}
		f.note(netip.MustParseAddr("10.0.0.1"))
		bad := netip.MustParseAddr("10.0.0.9")
		f.note(bad)
		crash(-alive) // before the next sign of life
		if n := len(s.blamed[bad]); n == 2 {
			s.blamed[bad] = append(s.blamed[bad], time.Now().Add(-forgiven-time.Second)) // no longer counts
		}
		f.note(bad)
		crash(2 * blameTime)
		crash(-2 * blameTime) // the clock was set
		s.blame()             // again, without another message
	}
	if list := s.quarantine(); !slices.Equal(list, []string{"10.0.0.9"}) {
		t.Errorf("after 3 crashes: %v", list)
	}
}

func TestWarm(t *testing.T) {
	got := warm([]string{"--config", "f", "--cold", "--cold=true", "--log-level", "debug"})
	if !slices.Equal(got, []string{"--config", "f", "--log-level", "debug"}) {
		t.Errorf("got %q", got)
	}
}

// The daemon ends with its supervisor, whatever the kernel does about it.
func TestDieWith(t *testing.T) {
	if os.Getenv("DIE_WITH") != "" {
		dieWith(os.Stdin)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", "^TestDieWith$")
	cmd.Env = append(os.Environ(), "DIE_WITH=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdin.Close()
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("got %v, want that it is killed", err)
	}
}

// Which ends are crashes, and which are for the operator.
func TestCrashed(t *testing.T) {
	for script, want := range map[string]bool{
		"exit 0": false, "exit 1": false, "exit 2": true, "kill -9 $$": true, "kill -ABRT $$": true,
	} {
		if got := crashed(exec.Command("/bin/sh", "-c", script).Run()); got != want {
			t.Errorf("%s: got %t, want %t", script, got, want)
		}
	}
	if crashed(exec.Command("/nowhere").Run()) {
		t.Error("what cannot be started has crashed")
	}
}
