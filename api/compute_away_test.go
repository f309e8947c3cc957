package api

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// bridge passes on connections to a Unix socket until it is cut: then nothing gets
// through any more, and nobody is told.
type bridge struct {
	path string

	mu  sync.Mutex
	cut bool
}

func newBridge(t *testing.T, to string) *bridge {
	t.Helper()
	b := &bridge{path: filepath.Join(shortDir(t), "p")}
	listener, err := net.Listen("unix", b.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			onward, err := net.Dial("unix", to)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { from.Close(); onward.Close() })
			go b.pass(from, onward)
			go b.pass(onward, from)
		}
	}()
	return b
}

func (b *bridge) pass(from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		b.mu.Lock()
		cut := b.cut
		b.mu.Unlock()
		if cut {
			continue // swallowed; an end is not passed on either
		}
		if err != nil {
			to.Close()
			return
		}
		to.Write(buffer[:n])
	}
}

func (b *bridge) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = true
}

// TestAttachHalfOpen: a compute node whose connection was dropped without a word comes
// back at once on another one. The old stream ends, and what it had.
func TestAttachHalfOpen(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	close(l.complete)
	b := newBridge(t, l.address[len("unix://"):])
	conn, err := grpc.NewClient("unix://"+b.path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	old := attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0)})
	old.expect("at first", "welcome, hold time 30, resumed false", "begin", "f0 20.0.0.1 at tap0", "end of FLOATING_IPS", "end of ROUTES")
	b.drop()
	s := l.nodes.session(nodeName(0))
	l.gateway.announce(100, everywhere) // which nobody gets
	began := time.Now()
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0), ResumeToken: old.token, FloatingIps: []string{f0}, Networks: []string{public}})
	a.expect("back", "welcome, hold time 30, resumed true", "0.0.0.0/0 via 10.0.0.1 label 100 [gre]")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("back after %s", took)
	}
	<-s.done
	old.end()
	l.stop() // waits for what belongs to the old stream
}
