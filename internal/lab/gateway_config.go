package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// CheckFRRConfig has FRR read the file frr.conf of a folder, without doing what
// it says. The error has every line that it does not understand.
func CheckFRRConfig(ctx context.Context, dir string) error {
	return runWell(ctx, Command{Path: frrVtysh, Args: []string{"-C", "--config_dir", dir, "-H", os.DevNull}})
}

// CheckBirdConfig has BIRD read a file, likewise.
func CheckBirdConfig(ctx context.Context, file string) error {
	return runWell(ctx, Command{Path: birdDaemon, Args: []string{"-p", "-c", file}})
}

// runWell runs a command that must succeed.
func runWell(ctx context.Context, c Command) error {
	result, err := c.Run(ctx)
	if err == nil && result.Code != 0 {
		err = fmt.Errorf("%s %s: exit status %d: %s", c.Path, strings.Join(c.Args, " "), result.Code, strings.TrimSpace(result.Stderr))
	}
	return err
}
