package packet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// startAgent starts the agent of a compute node, for the first time or again.
func (w *world) startAgent(ctx context.Context, i int) (err error) {
	dir := filepath.Join(w.dir, node(i))
	if err := os.Mkdir(dir, 0o755); err == nil {
		err = w.ca.Write(filepath.Join(dir, "agent"), node(i))
		if err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return err
	}
	files := filepath.Join(dir, "agent")
	w.agents[i], err = lab.Command{
		Path: programs.agent,
		Args: []string{"--node", node(i), "--address", nodeAddrs[i].String(), "--encapsulation", encapsulations[i], "--interface", "tap*",
			"--server", fmt.Sprintf("%v:50052,%v:50052", controlAddrs[0], controlAddrs[1]),
			"--certificate", files + ".crt", "--key", files + ".key", "--ca", files + "-ca.crt", "--state-dir", dir},
		Dir: dir,
		Log: filepath.Join(artefacts, node(i)+".log"),
	}.At(node(i)).Start()
	if err != nil {
		return err
	}
	return w.agents[i].Ready(ctx, func(ctx context.Context) error {
		for c := range w.controls {
			if text, err := w.ctl(ctx, c, "get computenode "+node(i)+" -o yaml"); err != nil || !strings.Contains(text, "\nstate: UP\n") {
				return errors.Join(fmt.Errorf("%s should see it, got\n%s", control(c), text), err)
			}
		}
		return nil
	})
}

// encapsulations are what the compute nodes send and take.
var encapsulations = [2]string{"gre", "udp"}
