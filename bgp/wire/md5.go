package wire

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// setMD5 makes the kernel sign and check every segment to and from addr (RFC
// 2385). It must come before connect, and the socket must not be an MPTCP one.
func setMD5(c syscall.RawConn, addr netip.Addr, key string) error {
	sig := unix.TCPMD5Sig{Keylen: uint16(len(key))}
	if len(key) > len(sig.Key) {
		return fmt.Errorf("tcp md5 key: %d bytes, at most %d are possible", len(key), len(sig.Key))
	}
	copy(sig.Key[:], key)
	// Data is the rest of a struct sockaddr_in or sockaddr_in6 after the family:
	// the port, for IPv6 the flow label, then the address.
	if addr.Is4() {
		sig.Addr.Family = unix.AF_INET
		copy(sig.Addr.Data[2:], addr.AsSlice())
	} else {
		sig.Addr.Family = unix.AF_INET6
		copy(sig.Addr.Data[6:], addr.AsSlice())
	}
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptTCPMD5Sig(int(fd), unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig)
	}); err != nil {
		return fmt.Errorf("tcp md5 key: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("tcp md5 key: %w", failed)
	}
	return nil
}
