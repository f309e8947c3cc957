package wire

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/neighbor"
)

// readKey fetches a TCP MD5 key from where it is. A final newline does not
// belong to it.
func readKey(source neighbor.KeySource) (string, error) {
	var key string
	switch {
	case source.IsZero():
		return "", nil
	case source.File != "":
		text, err := readRegular(source.File)
		if err != nil {
			return "", err
		}
		key = strings.TrimRight(text, "\r\n")
	default:
		var ok bool
		if key, ok = os.LookupEnv(source.Env); !ok {
			return "", fmt.Errorf("%s is not set", source)
		}
	}
	if len(key) == 0 || len(key) > unix.TCP_MD5SIG_MAXKEYLEN {
		return "", fmt.Errorf("%s: expected a key of 1..%d bytes, got %d", source, unix.TCP_MD5SIG_MAXKEYLEN, len(key))
	}
	return key, nil
}

// CheckKey reads a TCP MD5 key as a session would, and returns what is wrong with it.
func CheckKey(source neighbor.KeySource) error {
	_, err := readKey(source)
	return err
}

// readRegular reads the beginning of a file: more than a key may have, and not
// from a pipe or a device, which might never answer or never end.
func readRegular(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 2*unix.TCP_MD5SIG_MAXKEYLEN))
	return string(text), err
}

// setListenerKey makes the listeners expect a key from an address; an empty
// one makes them expect none again.
func (s *Server) setListenerKey(addr netip.Addr, key string) error {
	for _, l := range s.listeners {
		if addrPort(l.Addr()).Addr().Is4() != addr.Is4() {
			continue
		}
		raw, err := l.SyscallConn()
		if err == nil {
			err = setMD5(raw, addr, key)
		}
		if err != nil && !(key == "" && errors.Is(err, unix.ENOENT)) {
			return err
		}
	}
	return nil
}

// keySettles is how long connections are refused after a key was installed: the
// listener may still hold some that came before, and were not asked for one.
const keySettles = 100 * time.Millisecond

// keyFound takes back that the key was missing, once it is there.
func (p *peer) keyFound() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Cause == neighbor.CauseKey {
		p.setState(neighbor.Active, neighbor.CauseWaiting, "waiting for the neighbor to connect")
	}
}

// refreshKey reads the neighbor's key again and installs it where it has
// changed, so that a key can be corrected without a restart. Until it is
// installed no connection is taken: an unauthenticated one is worse than none.
func (p *peer) refreshKey() error {
	if p.settings.MD5Key.IsZero() {
		return nil
	}
	key, err := readKey(p.settings.MD5Key)
	if err != nil {
		return fmt.Errorf("MD5 key: %w", err)
	}
	p.mu.Lock()
	known := p.key == key
	p.mu.Unlock()
	if known {
		return nil
	}
	if err := p.listenerKey(p.settings.Address, key); err != nil {
		return err
	}
	p.mu.Lock()
	p.key, p.keyed = key, time.Now()
	p.mu.Unlock()
	return nil
}
