package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listen binds the addresses. Nothing is accepted or dialed before Run.
func Listen(config Config) (*Server, error) {
	s := &Server{config: config, timers: defaultTimers, peers: map[netip.Addr]*peer{}, suspended: map[netip.Addr]*adjIn{}, told: map[netip.Addr]bool{}, quarantine: map[netip.Addr]bool{}}
	s.config.Listen = slices.Clone(config.Listen)
	if config.Logger == nil {
		s.config.Logger = slog.New(slog.DiscardHandler)
	}
	s.refusals.logger = s.config.Logger
	if config.Note == nil {
		s.config.Note = func(netip.Addr) {}
	}
	for _, addr := range config.Quarantine {
		s.quarantine[addr] = true
	}
	for _, text := range config.Listen {
		l, err := listen(text)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("listen on %s: %w", text, err)
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

func listen(text string) (*net.TCPListener, error) {
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return nil, errors.New("expected an address and a port, for example 0.0.0.0:179")
	}
	// tcp6 alone never takes IPv4, so that both can be listened on.
	network := "tcp4"
	if address.Addr().Is6() {
		network = "tcp6"
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // the kernel refuses TCP MD5 on an MPTCP listener
	// The handshake is the listener's, for all neighbors: one with GTSM drops
	// less than 255. Accepted connections get what is configured.
	lc.Control = func(_, _ string, raw syscall.RawConn) error { return setSentTTL(raw, address.Addr().Is6(), maxTTL) }
	l, err := lc.Listen(context.Background(), network, text)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return nil, errno // the rest repeats the address
	}
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// source returns the local address to dial remote from: the first specific
// address of its family that is listened on.
func (c *Config) source(remote netip.Addr) net.Addr {
	for _, text := range c.Listen {
		local, err := netip.ParseAddrPort(text)
		if err == nil && local.Addr().Is4() == remote.Is4() && !local.Addr().IsUnspecified() {
			return &net.TCPAddr{IP: local.Addr().AsSlice(), Zone: local.Addr().Zone()}
		}
	}
	return nil
}

// Addrs returns the addresses that are listened on.
func (s *Server) Addrs() (addrs []netip.AddrPort) {
	for _, l := range s.listeners {
		addrs = append(addrs, addrPort(l.Addr()))
	}
	return addrs
}

func (s *Server) close() {
	for _, l := range s.listeners {
		l.Close()
	}
}

// accept hands every connection to the neighbor whose address it comes from.
func (s *Server) accept(ctx context.Context, l *net.TCPListener) error {
	for {
		conn, err := l.AcceptTCP()
		switch {
		case err == nil:
			s.assign(conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		case errors.Is(err, unix.ECONNABORTED):
		default:
			// accept(2) also reports what befell one connection, and what only
			// waiting helps against, such as too many open files.
			s.config.Logger.Error("accept", "address", l.Addr().String(), "error", err)
			sleep(ctx, time.Second)
		}
	}
}

func (s *Server) assign(conn *net.TCPConn) {
	remote := addrPort(conn.RemoteAddr()).Addr()
	p := s.peer(remote)
	if p == nil {
		conn.Close()
		if s.refusals.add(remote) {
			s.changes.note() // withStranger adds it to reasons
		}
		return
	}
	p.accept(conn)
}
