package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// supervisedEnv says to the daemon that it is supervised, and has these files.
const (
	supervisedEnv = "SUPERVISED_BY_BUOYD"
	flightFile    = 3 // the first of exec.Cmd.ExtraFiles
	lifelineFile  = 4 // ends with the supervisor
)

const (
	// blameTime is how long before a crash the message of a neighbor may have
	// caused it.
	blameTime = 100 * time.Millisecond
	// tolerated is how many crashes a neighbor may be blamed for before it gets
	// no session any more.
	tolerated = 2
	forgiven  = time.Hour // after which a crash no longer counts
	// A daemon that crashes sooner than calmTime after its start waits before the
	// next one, up to maxPause.
	calmTime = 10 * time.Second
	maxPause = 10 * time.Second
)

// supervisor runs the daemon in a process of its own, and starts it again when
// it crashes: gateways keep the routes meanwhile.
type supervisor struct {
	program string
	args    []string
	environ []string
	log     *slog.Logger
	flight  *flight

	blamed map[netip.Addr][]time.Time // the crashes that each neighbor may have caused, in the last hours
}

// crashed is how a process ends that nobody has told to, and that has nothing
// to tell.
func crashed(status error) bool {
	exit, ok := errors.AsType[*exec.ExitError](status)
	return ok && exit.ExitCode() != 1 // by itself it ends with 0 or 1: see run
}

// stopped is how a process ends that SIGTERM ended.
func stopped(status error) bool {
	exit, ok := errors.AsType[*exec.ExitError](status)
	if !ok {
		return false
	}
	how, ok := exit.Sys().(syscall.WaitStatus)
	return ok && how.Signaled() && how.Signal() == syscall.SIGTERM
}

// dieWith ends the process at once when the supervisor is gone: who starts
// another one must not find the store and the ports taken. The kernel's own
// signal for this does not reach a program with file capabilities.
func dieWith(lifeline *os.File) {
	lifeline.Read(make([]byte, 1)) // nobody writes: it returns at the end
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// run supervises until the daemon ends by itself. A context that ends is handed
// on as SIGTERM.
func (s *supervisor) run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		begin := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil && stopped(err) {
			return nil // told to stop before it listened to that
		}
		if !crashed(err) || ctx.Err() != nil {
			return err
		}
		if pause = min(2*pause+minPause, maxPause); time.Since(begin) > calmTime {
			pause = 0
		}
		s.blame()
		s.log.Error("buoyd crashed and is started again; gateways with graceful restart keep the routes",
			"status", err.Error(), "after", time.Since(begin).Round(time.Millisecond), "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
		s.args = warm(s.args)
	}
}

const minPause = 50 * time.Millisecond

// warm takes --cold out: after a crash the routes that gateways have are right.
func warm(args []string) (rest []string) {
	for _, a := range args {
		if a != "--cold" && !strings.HasPrefix(a, "--cold=") {
			rest = append(rest, a)
		}
	}
	return rest
}

// blame counts a crash for the neighbor whose message came right before it.
func (s *supervisor) blame() {
	addr, before := s.flight.last()
	s.flight.clear()
	if before > blameTime || before < -blameTime || addr.IsUnspecified() { // or the clock was set
		return
	}
	s.blamed[addr] = append(s.blamed[addr], time.Now())
	s.log.Error("the crash came right after a message of a neighbor", "neighbor", addr, "crashes", len(s.blamed[addr]))
}

// quarantine returns the neighbors that get no session any more.
func (s *supervisor) quarantine() (list []string) {
	for addr, crashes := range s.blamed {
		crashes = slices.DeleteFunc(crashes, func(at time.Time) bool { return time.Since(at) > forgiven })
		if s.blamed[addr] = crashes; len(crashes) > tolerated {
			list = append(list, addr.String())
		}
	}
	return list
}

// once runs the daemon to its end.
func (s *supervisor) once(ctx context.Context) error {
	cmd := exec.Command(s.program, s.args...)
	if list := s.quarantine(); len(list) > 0 {
		cmd.Args = append(cmd.Args, "--quarantine", strings.Join(list, ","))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	lifeline, end, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	defer end.Close()
	cmd.ExtraFiles = []*os.File{s.flight.file, lifeline}
	cmd.Env = append(s.environ[:len(s.environ):len(s.environ)], supervisedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that only we hand on a Ctrl-C
	err = cmd.Start()
	lifeline.Close()
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(syscall.SIGTERM) })()
	return cmd.Wait()
}
