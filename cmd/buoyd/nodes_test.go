package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/inventory"
)

// TestNodeRefusal: how a session ends says how its stream does.
func TestNodeRefusal(t *testing.T) {
	for _, tt := range []struct {
		err    error
		code   inventory.Code
		reason string
		text   string
	}{
		{fmt.Errorf("%w, from 10.0.0.1:4711", computenode.ErrReplaced), inventory.Aborted, "STREAM_REPLACED", "a newer stream took the place of this one, from 10.0.0.1:4711"},
		{fmt.Errorf("%w for 30s", computenode.ErrSilent), inventory.Aborted, "STREAM_SILENT", "the stream was silent for 30s"},
		{computenode.ErrDeleted, inventory.NotFound, "RESOURCE_NOT_FOUND", "the compute node was deleted"},
		{fmt.Errorf("compute node %q: %w", aliveNode, computenode.ErrUnknown), inventory.NotFound, "RESOURCE_NOT_FOUND", "compute_node: computeNodes/cmp1 does not exist"},
	} {
		refusal, ok := errors.AsType[*inventory.Error](nodeRefusal(aliveNode, tt.err))
		if !ok || refusal.Code != tt.code || refusal.Reason != tt.reason || refusal.Error() != tt.text || refusal.Resource != aliveNode {
			t.Errorf("%v: got %+v", tt.err, refusal)
		}
	}
	if err := nodeRefusal(aliveNode, computenode.ErrStopping); err != api.ErrStopping {
		t.Errorf("stopping: got %v", err)
	}
	other := errors.New("other")
	if err := nodeRefusal(aliveNode, other); err != other || nodeRefusal(aliveNode, nil) != nil {
		t.Errorf("another one: got %v", err)
	}
}

// TestNodeSocketRefused: a socket for compute nodes that cannot be served keeps the daemon
// from starting, and the error says why.
func TestNodeSocketRefused(t *testing.T) {
	for name, tt := range map[string]struct{ section, want string }{
		"open to others": {`{listen: ["0.0.0.0:0"]}`, `compute_nodes.listen[0]: expected unix://PATH or a loopback address, got "0.0.0.0:0"; for other addresses set compute_nodes.certificate`},
		"no file":        {`{listen: ["0.0.0.0:0"], certificate: /nowhere/c, key: /nowhere/k, client_ca: /nowhere/a}`, "compute_nodes: read the certificate /nowhere/c and its key /nowhere/k: open /nowhere/c: no such file"},
		"no address":     {`{listen: ["unix:///proc/nowhere/n"]}`, "compute_nodes: listen on /proc/nowhere/n: "},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			o := buoyd(t, nil, "--config", h.write(t, "bgp: {as: 64512, router_id: 10.0.0.2, listen: ['127.0.0.1:0']}\napi: {listen: ['unix://"+h.socket()+"']}\nstore: {path: "+
				filepath.Join(h.dir, "buoy.db")+"}\ncompute_nodes: "+tt.section+"\n"))
			if o.status != 1 || !strings.Contains(o.stderr, tt.want) {
				t.Errorf("got %+v\nwant %s", o, tt.want)
			}
		})
	}
}
