package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Programs are the paths of the programs that a lab runs.
type Programs struct {
	Buoyd, Buoyctl string
	GoBGPd, GoBGP  string
}

// Plain returns the programs without the race detector.
func (p Programs) Plain() Programs {
	p.Buoyd = filepath.Join(filepath.Dir(p.Buoyctl), "buoyd") // Build makes it in any case
	return p
}

var builds struct {
	sync.Mutex
	done map[bool]Programs // by race
}

// Build builds the programs into bin of the repository, once for each process;
// with race, buoyd is one with the race detector, in bin/race. The first time
// on a machine it takes minutes, later less than a second.
func Build(ctx context.Context, race bool) (Programs, error) {
	builds.Lock()
	defer builds.Unlock()
	if p, ok := builds.done[race]; ok {
		return p, nil
	}
	root, err := repository()
	if err != nil {
		return Programs{}, err
	}
	bin := filepath.Join(root, "bin")
	unlock, err := lockFolder(bin)
	if err != nil {
		return Programs{}, fmt.Errorf("build: %w", err)
	}
	defer unlock()

	p := Programs{
		Buoyd:   filepath.Join(bin, "buoyd"),
		Buoyctl: filepath.Join(bin, "buoyctl"),
		GoBGPd:  filepath.Join(bin, "gobgpd"),
		GoBGP:   filepath.Join(bin, "gobgp"),
	}
	const gobgp = "github.com/osrg/gobgp/v3/cmd/"
	steps := [][]string{
		{"build", "-C", root, "-o", bin + "/", "./cmd/buoyd", "./cmd/buoyctl"},
		{"build", "-C", filepath.Join(root, "tools"), "-o", bin + "/", gobgp + "gobgpd", gobgp + "gobgp"},
	}
	if race {
		p.Buoyd = filepath.Join(bin, "race", "buoyd")
		steps = append(steps, []string{"build", "-C", root, "-race", "-o", p.Buoyd, "./cmd/buoyd"})
	}
	for _, args := range steps {
		if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
			return Programs{}, fmt.Errorf("go %v: %w\n%s", args, err, out)
		}
	}
	if builds.done == nil {
		builds.done = map[bool]Programs{}
	}
	builds.done[race] = p
	return p, nil
}

// repository returns the folder of the main module, above the working
// directory.
func repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("find the repository: no go.mod above %s", start)
		}
	}
}

// lockFolder makes a folder and keeps other processes from building into it at
// the same time.
func lockFolder(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}
