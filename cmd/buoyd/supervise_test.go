package main

import (
	"net/netip"
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
	if addr, at := ours.last(); addr != netip.IPv6Unspecified() || !at.Equal(time.Unix(0, 0)) {
		t.Errorf("at first: %s at %s", addr, at)
	}
	for _, text := range []string{"10.0.0.1", "2001:db8::1"} {
		before := time.Now()
		theirs.note(netip.MustParseAddr(text))
		if addr, at := ours.last(); addr.String() != text || at.Before(before.Round(0)) {
			t.Errorf("got %s at %s, want %s since %s", addr, at, text, before)
		}
	}
}

// A neighbor is blamed when its message came right before the crash, and has no
// session after the third time.
func TestBlame(t *testing.T) {
	f, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	s := supervisor{log: silent(), flight: f, blamed: map[netip.Addr]int{}}
	s.blame(time.Now()) // nobody was there
	bad := netip.MustParseAddr("10.0.0.9")
	for crash := range 3 {
		if list := s.quarantine(); len(list) != 0 {
			t.Errorf("after %d crashes: %v", crash, list)
		}
		f.note(netip.MustParseAddr("10.0.0.1"))
		f.note(bad)
		s.blame(time.Now())
		s.blame(time.Now().Add(blameTime + time.Second)) // too late to be its fault
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
