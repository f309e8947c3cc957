// Command boot runs a program in a guest: see package guest. Its exit status is
// that of the program.
//
//	boot [-terminal] [-out FOLDER] PROGRAM [ARGUMENT...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/buoynet/buoy/internal/lab/guest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	status, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "boot:", err)
		status = 1
	}
	os.Exit(status)
}

func run(ctx context.Context) (int, error) {
	terminal := flag.Bool("terminal", false, "the program talks with an operator, at this terminal")
	folder := flag.String("cache", "bin/guest", "`FOLDER` of the kernel, and of the first process")
	out := flag.String("out", "bin/guest/out", "`FOLDER` of the machine that the program has as "+guest.OutFolder)
	memory := flag.Int("memory", 2048, "of the guest, in `MiB`")
	flag.Parse()
	if flag.NArg() == 0 {
		return 2, errors.New("expected a program")
	}
	kernel, err := guest.Fetch(ctx, *folder)
	if err != nil {
		return 0, err
	}
	init := filepath.Join(*folder, "init")
	build := exec.CommandContext(ctx, "go", "build", "-o", init, "github.com/buoynet/buoy/internal/lab/guest/init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("build the first process: %w", err)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return 0, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	path, err := exec.LookPath(flag.Arg(0))
	if err != nil {
		return 0, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return 0, err
	}
	job := guest.Job{Args: append([]string{path}, flag.Args()[1:]...), Dir: dir, Out: *out, Init: init, Memory: *memory,
		Env:      []string{"HOME=/root", "LANG=C.UTF-8", "TERM=" + os.Getenv("TERM"), "PATH=" + filepath.Join(dir, "bin") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Terminal: *terminal, Stdout: os.Stdout}
	if !*terminal {
		return kernel.Run(ctx, job)
	}
	job.Stdin = os.Stdin
	restore, err := raw(os.Stdin)
	if err != nil {
		return 0, err
	}
	defer restore()
	return kernel.Run(ctx, job)
}
