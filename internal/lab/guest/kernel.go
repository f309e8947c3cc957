package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kernel is a kernel and its modules, unpacked.
type Kernel struct {
	dir     string // as it is in the package: boot/vmlinuz-…, lib/modules/…
	release string // 6.1.0-56-amd64
}

// metaPackage is the package that depends on the newest kernel. The one for
// clouds has no 9p.
const metaPackage = "linux-image-amd64"

// Fetch unpacks Debian's kernel below a folder, unless it is there already.
func Fetch(ctx context.Context, folder string) (Kernel, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Kernel{}, err
	}
	name, err := newest(ctx)
	if err != nil {
		return Kernel{}, fmt.Errorf("find Debian's kernel: %w", err)
	}
	k := Kernel{dir: filepath.Join(folder, name), release: strings.TrimPrefix(name, "linux-image-")}
	if _, err := os.Stat(k.dir); err == nil {
		return k, nil
	}
	if err := k.unpack(ctx, folder, name); err != nil {
		return Kernel{}, fmt.Errorf("unpack %s: %w", name, err)
	}
	return k, nil
}

// newest returns the name of the package of the newest kernel.
func newest(ctx context.Context) (string, error) {
	out, err := output(ctx, "", "apt-cache", "depends", metaPackage)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, "linux-image-") {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s depends on no kernel; apt-get update may help", metaPackage)
}

// unpack puts it there whole or not at all.
func (k Kernel) unpack(ctx context.Context, folder, name string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(folder, "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := output(ctx, tmp, "apt-get", "-q", "download", name); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(packages) != 1 {
		return errors.Join(fmt.Errorf("downloaded %d packages", len(packages)), err)
	}
	root := filepath.Join(tmp, "root")
	if _, err := output(ctx, "", "dpkg-deb", "--extract", packages[0], root); err != nil {
		return err
	}
	if _, err := output(ctx, "", "depmod", "--basedir", root, k.release); err != nil {
		return err
	}
	return os.Rename(root, k.dir)
}

// image returns the path of the kernel itself.
func (k Kernel) image() string { return filepath.Join(k.dir, "boot", "vmlinuz-"+k.release) }

// modules returns the files of modules and of those that they need, in the
// order in which they have to be loaded.
func (k Kernel) modules(ctx context.Context, names ...string) (files []string, err error) {
	seen := map[string]bool{}
	for _, name := range names {
		out, err := output(ctx, "", "modprobe", "--dirname", k.dir, "--set-version", k.release, "--show-depends", name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(out) {
			words := strings.Fields(line) // insmod FILE, or builtin NAME
			if len(words) == 2 && words[0] == "insmod" && !seen[words[1]] {
				seen[words[1]] = true
				files = append(files, words[1])
			}
		}
	}
	return files, nil
}

// output runs a program and returns what it printed. /usr/sbin may not be in
// the path.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	if _, err := exec.LookPath(name); err != nil {
		name = filepath.Join("/usr/sbin", name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}
