package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// supervisedEnv says to the daemon that it is supervised. Its value is the file
// descriptor of the flight.
const supervisedEnv = "SUPERVISED_BY_BUOYD"

const (
	// blameTime is how long before a crash the message of a neighbor may have
	// caused it.
	blameTime = 100 * time.Millisecond
	// tolerated is how many crashes a neighbor may be blamed for before it gets
	// no session any more.
	tolerated = 2
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

	blamed map[netip.Addr]int // how many crashes each neighbor may have caused
}

// crashed is how a process ends that nobody has told to, and that has nothing
// to tell.
func crashed(status error) bool {
	exit, ok := errors.AsType[*exec.ExitError](status)
	return ok && exit.ExitCode() != 1 // by itself it ends with 0 or 1: see run
}

// run supervises until the daemon ends by itself. A context that ends is handed
// on as SIGTERM.
func (s *supervisor) run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		begin := time.Now()
		err := s.once(ctx)
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
	if before > blameTime || addr.IsUnspecified() {
		return
	}
	s.blamed[addr]++
	s.log.Error("the crash came right after a message of a neighbor", "neighbor", addr, "crashes", s.blamed[addr])
}

// quarantine returns the neighbors that get no session any more.
func (s *supervisor) quarantine() (list []string) {
	for addr, crashes := range s.blamed {
		if crashes > tolerated {
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
	cmd.ExtraFiles = []*os.File{s.flight.file}
	cmd.Env = append(s.environ[:len(s.environ):len(s.environ)], fmt.Sprintf("%s=%d", supervisedEnv, 3)) // the first of ExtraFiles
	// Of its own group, so that only we hand on a Ctrl-C; and not without us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // whose end the kernel takes for ours
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(syscall.SIGTERM) })()
	return cmd.Wait()
}
