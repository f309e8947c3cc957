package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Job is what a guest does.
type Job struct {
	Args     []string // the program, with its path, and its arguments
	Env      []string // NAME=VALUE
	Dir      string   // where it runs
	Out      string   // a folder of the machine, which the guest has as OutFolder
	Init     string   // the first process: the program in the folder init
	Memory   int      // MiB
	Terminal bool     // the program is an operator's, at a terminal
	Stdin    io.Reader
	Stdout   io.Writer
}

// OutFolder is where the guest has Job.Out.
const OutFolder = "/run/out"

// Orders is what the first process reads in Job.Out, in JobFile.
type Orders struct {
	Args     []string
	Env      []string
	Dir      string
	Modules  string // a folder to be that of the kernel's modules
	Release  string
	Terminal bool
}

// The files in Job.Out that guest and machine tell each other something in.
const (
	JobFile    = ".job.json"
	StatusFile = ".status" // the exit status of the program, in decimal
)

// ErrLost means that the guest ended before its program did.
var ErrLost = errors.New("the guest ended before the program did")

// needed are the modules without which the guest finds no root.
var needed = []string{"virtio_pci", "9pnet_virtio", "9p", "overlay"}

// Run boots a guest and returns the exit status of the program, when the
// guest is off. When the context ends, the guest ends, too.
func (k Kernel) Run(ctx context.Context, job Job) (status int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run %s in a guest: %w", strings.Join(job.Args, " "), err)
		}
	}()
	if job.Out, err = filepath.Abs(job.Out); err != nil {
		return 0, err
	}
	orders, err := json.Marshal(Orders{Args: job.Args, Env: job.Env, Dir: job.Dir, Terminal: job.Terminal,
		Modules: filepath.Join(k.dir, "lib/modules", k.release), Release: k.release})
	if err != nil {
		return 0, err
	}
	statusFile := filepath.Join(job.Out, StatusFile)
	if err := os.Remove(statusFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(job.Out, JobFile), orders, 0o644); err != nil {
		return 0, err
	}
	modules, err := k.modules(ctx, needed...)
	if err != nil {
		return 0, err
	}
	root, err := initrd(job.Init, modules)
	if err != nil {
		return 0, err
	}
	initrdFile := filepath.Join(job.Out, ".initrd")
	if err := os.WriteFile(initrdFile, root, 0o644); err != nil {
		return 0, err
	}
	defer os.Remove(initrdFile)
	if err := k.boot(ctx, job, initrdFile); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(statusFile)
	if err != nil {
		return 0, errors.Join(ErrLost, err)
	}
	return strconv.Atoi(string(text))
}

// boot runs the virtual machine until it is off.
func (k Kernel) boot(ctx context.Context, job Job, initrdFile string) error {
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return err
	}
	share := func(name, path, options string) []string {
		return []string{"-fsdev", fmt.Sprintf("local,id=%s,path=%s,security_model=none,multidevs=remap%s", name, path, options),
			"-device", fmt.Sprintf("virtio-9p-pci,fsdev=%s,mount_tag=%s", name, name)}
	}
	args := []string{"-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", "2", "-m", fmt.Sprint(job.Memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", k.image(), "-initrd", initrdFile,
		// A guest that panics is off at once. Nothing that an attacker could do matters.
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"}
	args = append(args, share("host", "/", ",readonly=on")...)
	args = append(args, share("out", job.Out, "")...)
	cmd := exec.CommandContext(ctx, qemu, args...)
	cmd.Stdin, cmd.Stdout = job.Stdin, job.Stdout
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("%w\n%s", err, stderr.String()))
	}
	return nil
}
