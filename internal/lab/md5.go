package lab

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is how a connection of a router without a program of its own is set
// up.
type Socket struct {
	Key    string     // TCP MD5 key for the connections with Peer; empty for none
	Peer   netip.Addr // IPv4
	TTL    int        // of what is sent; 0 for the system's
	MinTTL int        // of what is taken; 0 for any
}

func (s Socket) control(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		if s.Key != "" {
			sig := unix.TCPMD5Sig{Keylen: uint16(len(s.Key))}
			copy(sig.Key[:], s.Key)
			sig.Addr.Family = unix.AF_INET
			copy(sig.Addr.Data[2:], s.Peer.AsSlice())
			failed = unix.SetsockoptTCPMD5Sig(int(fd), unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig)
		}
		if s.TTL > 0 && failed == nil {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, s.TTL)
		}
		if s.MinTTL > 0 && failed == nil {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MINTTL, s.MinTTL)
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

// Listen waits for connections on an address.
func (s Socket) Listen(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{Control: s.control}
	lc.SetMultipathTCP(false)
	return lc.Listen(ctx, "tcp4", addr.String())
}

// Dial connects from one address to another.
func (s Socket) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: s.control, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, "tcp4", to.String())
}
