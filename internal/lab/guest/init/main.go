// Command init is the first process of a guest: see package guest.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/lab/guest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: expected to be the first process of a guest")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
	}
	unix.Sync()
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Fprintln(os.Stderr, "init: power off:", err)
	}
}

func run() error {
	if err := loadModules("/modules/order"); err != nil {
		return err
	}
	if err := makeRoot(); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(guest.OutFolder, guest.JobFile))
	if err != nil {
		return err
	}
	var orders guest.Orders
	if err := json.Unmarshal(text, &orders); err != nil {
		return err
	}
	if err := os.MkdirAll("/lib/modules", 0o755); err != nil {
		return err
	}
	if err := os.Symlink(orders.Modules, "/lib/modules/"+orders.Release); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	status, err := work(orders)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(guest.OutFolder, guest.StatusFile), []byte(strconv.Itoa(status)), 0o644)
}

func loadModules(order string) error {
	list, err := os.ReadFile(order)
	if err != nil {
		return err
	}
	for file := range strings.Lines(string(list)) {
		file = strings.TrimSpace(file)
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", file, err)
		}
	}
	return nil
}

type mount struct{ source, target, kind, options string }

// nine is how files of the machine are reached. What is there does not change
// but for what the guest itself writes.
const nine = "trans=virtio,version=9p2000.L,msize=524288"

// makeRoot makes the machine's root ours, with a layer over it.
func makeRoot() error {
	for _, m := range []mount{
		{"tmpfs", "/root", "tmpfs", ""},
		{"host", "/root/lower", "9p", nine + ",ro,cache=loose"},
		{"overlay", "/root/merged", "overlay", "lowerdir=/root/lower,upperdir=/root/upper,workdir=/root/work"},
		{"proc", "/root/merged/proc", "proc", ""},
		{"sys", "/root/merged/sys", "sysfs", ""},
		{"dev", "/root/merged/dev", "devtmpfs", ""},
		{"pts", "/root/merged/dev/pts", "devpts", ""},
		{"shm", "/root/merged/dev/shm", "tmpfs", ""},
		{"run", "/root/merged/run", "tmpfs", "mode=755"},
		{"out", "/root/merged" + guest.OutFolder, "9p", nine},
	} {
		folders := []string{m.target}
		if m.kind == "overlay" {
			folders = append(folders, "/root/upper", "/root/work")
		}
		for _, folder := range folders {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		flags := uintptr(0)
		if err := unix.Mount(m.source, m.target, m.kind, flags, m.options); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.source, m.target, err)
		}
	}
	if err := unix.Chroot("/root/merged"); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	return os.Chdir("/")
}

// work runs the program, and waits for it and for every orphan meanwhile.
func work(orders guest.Orders) (int, error) {
	cmd := exec.Command(orders.Args[0], orders.Args[1:]...)
	cmd.Env, cmd.Dir = orders.Env, orders.Dir
	console, err := os.OpenFile("/dev/console", os.O_RDWR, 0)
	if orders.Terminal {
		console, err = os.OpenFile("/dev/ttyS0", os.O_RDWR, 0)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	if err != nil {
		return 0, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = console, console, console
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case pid == cmd.Process.Pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		case pid == cmd.Process.Pid:
			return status.ExitStatus(), nil
		}
	}
}
