package wire

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/neighbor"
)

// dialer returns how to connect to the neighbor.
func (p *peer) dialer() *net.Dialer {
	d := &net.Dialer{Timeout: p.timers.connect, LocalAddr: p.source()}
	d.SetMultipathTCP(false)
	p.mu.Lock()
	key := p.key
	p.mu.Unlock()
	d.Control = func(_, _ string, raw syscall.RawConn) error {
		if key != "" {
			if err := setMD5(raw, p.settings.Address, key); err != nil {
				return err
			}
		}
		return setTTL(raw, p.settings, p.config.LocalAS)
	}
	return d
}

// source returns our end of the connection: the configured one, or the first
// specific address of the neighbor's family that is listened on.
func (p *peer) source() net.Addr {
	if local := p.settings.LocalAddress; local.IsValid() {
		return &net.TCPAddr{IP: local.AsSlice()}
	}
	return p.config.source(p.settings.Address)
}

// defaultTTL is that of a session inside our own AS.
const defaultTTL = 64

// setTTL sets the TTL of what is sent, and with GTSM the smallest that is
// received (RFC 5082 §3: 255, less one for each hop beyond the first).
func setTTL(raw syscall.RawConn, s neighbor.Settings, localAS uint32) error {
	ttl, least := defaultTTL, 0
	switch {
	case s.TTLSecurity > 0:
		ttl, least = maxTTL, maxTTL+1-int(s.TTLSecurity)
	case s.Multihop > 0:
		ttl = int(s.Multihop)
	case s.AS != localAS && !s.Address.IsLoopback():
		ttl = 1
	}
	if err := setSentTTL(raw, s.Address.Is6(), ttl); err != nil || least == 0 {
		return err
	}
	if s.Address.Is6() {
		return setOption(raw, unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT, least)
	}
	return setOption(raw, unix.IPPROTO_IP, unix.IP_MINTTL, least)
}

// maxTTL is what GTSM sends.
const maxTTL = 255

func setSentTTL(raw syscall.RawConn, six bool, ttl int) error {
	if six {
		return setOption(raw, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, ttl)
	}
	return setOption(raw, unix.IPPROTO_IP, unix.IP_TTL, ttl)
}

func setOption(raw syscall.RawConn, level, option, value int) (err error) {
	failed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, value) })
	return errors.Join(failed, err)
}

// prepare sets up an accepted connection as a dialed one is. The caller holds
// p.mu.
func (p *peer) prepare(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	if p.key != "" { // the listener's may have come too late for it
		if err := setMD5(raw, p.settings.Address, p.key); err != nil {
			return err
		}
	}
	return setTTL(raw, p.settings, p.config.LocalAS)
}

// acceptable reports whether the neighbor may connect to this address of ours.
func (p *peer) acceptable(local netip.Addr) bool {
	want := p.settings.LocalAddress
	return !want.IsValid() || want == local
}
