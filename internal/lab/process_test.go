package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func shell(t *testing.T, script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}, Log: filepath.Join(t.TempDir(), "log")}
}

func start(t *testing.T, c Command) *Process {
	t.Helper()
	p, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestRun(t *testing.T) {
	r, err := shell(t, "echo out; echo err >&2; exit 7").Run(deadline(t))
	if want := (Result{"out\n", "err\n", 7}); r != want || err != nil {
		t.Errorf("got %+v, %v; want %+v", r, err, want)
	}
	if _, err := (Command{Path: "/nonexistent"}).Run(deadline(t)); err == nil {
		t.Error("a program that does not exist was run")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := shell(t, "sleep 100").Run(ctx); err == nil {
		t.Error("a program that was cut off has ended by itself")
	}
}

func TestStop(t *testing.T) {
	c := shell(t, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	p := start(t, c)
	if err := p.Ready(deadline(t), logHas(c.Log, "ready")); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("again: %v", err)
	}
	p = start(t, shell(t, "exit 3"))
	<-p.Done()
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want how it ended", err)
	}
}

func logHas(file, text string) func(context.Context) error {
	return func(context.Context) error {
		if log := Tail(file, 10); !strings.Contains(log, text) {
			return fmt.Errorf("not %s yet: %s", text, log)
		}
		return nil
	}
}

// TestNeverReady: one does not wait for a program that is dead.
func TestNeverReady(t *testing.T) {
	c := shell(t, "echo it is broken; exit 4")
	err := start(t, c).Ready(deadline(t), logHas(c.Log, "ready"))
	if err == nil || !strings.Contains(err.Error(), "exit status 4") || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("got %v, want the exit status and the log", err)
	}
}

// TestOrphan: a program does not survive the one that started it.
func TestOrphan(t *testing.T) {
	const variable = "LAB_TEST_PARENT"
	if os.Getenv(variable) != "" { // the one that is killed
		p, err := Command{Path: "/bin/sleep", Args: []string{"1000"}, Log: os.DevNull}.Start()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(p.PID())
		<-p.Done()
		return
	}
	c := Command{Path: os.Args[0], Args: []string{"-test.run=^TestOrphan$"}, Env: []string{variable + "=1"}, Log: filepath.Join(t.TempDir(), "log")}
	parent := start(t, c)
	child := 0
	err := parent.Ready(deadline(t), func(context.Context) error {
		f, err := os.Open(c.Log)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = fmt.Fscanln(bufio.NewReader(f), &child)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	parent.Kill()
	err = Poll(deadline(t), "the child should end", func(context.Context) error {
		if err := syscall.Kill(child, 0); !errors.Is(err, syscall.ESRCH) && !zombie(child) {
			return fmt.Errorf("process %d is still there (%v)", child, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// zombie reports whether a process has ended and nobody has asked how.
func zombie(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}
