package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Disk is a file system that may fill up and fail: ext4 on a file, mounted on a folder
// that only what runs on it sees so. It needs root. When its processes and its
// descriptor are gone, the kernel takes it away.
type Disk struct {
	dir, image string
	mount      *os.File // mount namespace
}

// NewDisk makes one of so many bytes on a folder.
func NewDisk(ctx context.Context, dir string, size int64) (*Disk, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNeedsRoot
	}
	d := &Disk{dir: dir, image: dir + ".ext4"}
	made := make(chan error)
	go func() {
		// The thread changes its namespace and ends with the goroutine, which
		// does not unlock it.
		runtime.LockOSThread()
		made <- d.furnish(ctx, size)
	}()
	if err := <-made; err != nil {
		d.Close()
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	return d, nil
}

func (d *Disk) furnish(ctx context.Context, size int64) (err error) {
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(d.image, size); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if d.mount, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// Nothing is kept for root: what is full is so for all.
	if err := runWell(ctx, Command{Path: "mkfs.ext4", Args: []string{"-q", "-m", "0", d.image}}); err != nil {
		return err
	}
	return d.run(ctx, mountDisk)
}

// Where $0 is the image, and $1 the folder.
const (
	mountDisk  = `mount -o loop,errors=remount-ro "$0" "$1"`
	breakDisk  = `device=$(findmnt -n -o SOURCE "$1") && echo broken by a test > "/sys/fs/ext4/${device#/dev/}/trigger_fs_error"`
	leaveDisk  = `umount "$1"`
	repairDisk = `{ fsck.ext4 -p "$0" || test $? = 1; } && ` + mountDisk
	fillDisk   = `! dd if=/dev/zero of="$1/filler" bs=64k`
	clearDisk  = `rm "$1/filler" && sync -f "$1"`
)

// Fill writes a file until there is no room for more. Clear removes it.
func (d *Disk) Fill(ctx context.Context) error  { return d.run(ctx, fillDisk) }
func (d *Disk) Clear(ctx context.Context) error { return d.run(ctx, clearDisk) }

// Break tells the kernel that there is an error on the disk. From then on it takes no
// writes.
func (d *Disk) Break(ctx context.Context) error { return d.run(ctx, breakDisk) }

// Repair checks it and mounts it anew, as soon as nobody has a file there open any more.
func (d *Disk) Repair(ctx context.Context) error {
	err := Poll(ctx, "nobody uses the disk", func(ctx context.Context) error { return d.run(ctx, leaveDisk) })
	if err != nil {
		return err
	}
	return d.run(ctx, repairDisk)
}

func (d *Disk) run(ctx context.Context, script string) error {
	return runWell(ctx, d.on(Command{Path: "sh", Args: []string{"-c", script, d.image, d.dir}}))
}

// on returns a command that sees the disk, if there is one.
func (d *Disk) on(c Command) Command {
	if d == nil {
		return c
	}
	return entering(c, "--mount", d.mount)
}

// Close leaves it to the kernel.
func (d *Disk) Close() error {
	var err error
	if d.mount != nil {
		err = d.mount.Close()
	}
	return errors.Join(err, os.Remove(d.image))
}
