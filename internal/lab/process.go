package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long a program may take to end by itself.
const stopTime = 10 * time.Second

// Command says how to run a program.
type Command struct {
	Path     string
	Args     []string
	Env      []string // beside the environment of this process
	Dir      string
	Log      string // file that the output is appended to; for Start only
	Detached bool   // outlives this process
}

func (c Command) cmd(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir = c.Dir
	// What configures Buoy in the caller's shell must not do so here.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "BUOY") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, c.Env...)
	return cmd
}

// Result is what a program that has ended leaves behind.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a program to its end. Its exit status is not an error.
func (c Command) Run(ctx context.Context) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd := c.cmd(ctx)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("run %s %s: %w", filepath.Base(c.Path), strings.Join(c.Args, " "), err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}, nil
}

// Process is a running program that belongs to this process.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
	err  error         // how it ended; set before done is closed
}

// Start starts a program.
func (c Command) Start() (*Process, error) {
	name := filepath.Base(c.Path)
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	p := &Process{name: name, log: c.Log, cmd: c.cmd(context.Background()), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// In a process group of its own it does not see the Ctrl-C of a terminal:
	// who started it decides when it ends.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.Detached {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread for that of the parent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ready polls until the condition holds. It gives up when the program ends.
func (p *Process) Ready(ctx context.Context, condition func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := Poll(ctx, "wait for "+p.name, condition)
	if err == nil {
		return nil
	}
	select {
	case <-p.done:
		err = fmt.Errorf("%s ended (%s) before it was ready", p.name, p.cmd.ProcessState)
	default:
	}
	return fmt.Errorf("%w; the end of %s:\n%s", err, p.log, Tail(p.log, 20))
}

// Stop asks the program to end and waits. The error says how it ended, if that
// was not with success.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(stopTime):
		p.Kill()
		return fmt.Errorf("stop %s: not ended %s after SIGTERM, so killed", p.name, stopTime)
	}
	if p.err != nil {
		return fmt.Errorf("stop %s: %w", p.name, p.err)
	}
	return nil
}

// Kill ends the program without a warning, and waits.
func (p *Process) Kill() {
	p.cmd.Process.Kill() // an error means that it has ended
	<-p.done
}

// Tail returns the last lines of a file, or why there are none.
func Tail(file string, lines int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
