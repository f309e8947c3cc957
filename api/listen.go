package api

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Listener is a net.Listener that the server may be given.
type Listener = net.Listener

// Endpoint is a place to listen on, as net.Listen takes it.
type Endpoint interface {
	Network() string // "unix" or "tcp"
	Address() string
}

// Listen opens the endpoints. A Unix socket is made for its owner and group
// only; one that a killed daemon left behind is replaced, one that is in use
// is not.
func Listen(endpoints ...Endpoint) ([]Listener, error) {
	var listeners []Listener
	for _, e := range endpoints {
		l, err := listen(e)
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, fmt.Errorf("listen on %s: %w", e.Address(), err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listen(e Endpoint) (Listener, error) {
	if e.Network() != "unix" {
		return net.Listen(e.Network(), e.Address())
	}
	if err := os.MkdirAll(filepath.Dir(e.Address()), 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", e.Address())
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(e.Address()); err != nil {
			return nil, err
		}
		l, err = net.Listen("unix", e.Address())
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(e.Address(), 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("it exists and is not a socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return fmt.Errorf("another daemon listens there")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
