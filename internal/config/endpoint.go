package config

import (
	"net/netip"
	"strings"
)

const (
	unixPrefix = "unix://"
	// maxUnixPath is what fits into sun_path with its final NUL, unix(7).
	maxUnixPath = 107
)

// Endpoint is a place where the API listens: a Unix socket, or a port of a
// loopback address. It is comparable. The zero value is not an endpoint.
type Endpoint struct {
	path string
	addr netip.AddrPort
}

// ParseEndpoint reads unix://PATH or ADDRESS:PORT. Everything after unix:// is
// the path: unix:///run/buoyd.sock is absolute, unix://run/buoyd.sock is
// relative to the working directory. Only what cannot be reached from another
// machine is an endpoint, because the API has no authentication.
func ParseEndpoint(s string) (Endpoint, error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		// An abstract socket (@name) has no owner and no mode: every user
		// of the machine could connect.
		if !validPath(path) || len(path) > maxUnixPath || path[0] == '@' {
			return Endpoint{}, expected("unix:// and a path of at most 107 printable characters, not an abstract socket", s)
		}
		return Endpoint{path: path}, nil
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil {
		return Endpoint{}, expected("unix://PATH or a loopback address and port, for example 127.0.0.1:50051", s)
	}
	if !addr.Addr().IsLoopback() || addr.Addr().Is4In6() || addr.Addr().Zone() != "" {
		return Endpoint{}, expected("unix://PATH or a loopback address, because the API has no authentication", s)
	}
	return Endpoint{addr: addr}, nil
}

// Network returns "unix" or "tcp", as net.Listen takes it.
func (e Endpoint) Network() string {
	if e.path != "" {
		return "unix"
	}
	return "tcp"
}

// Address returns the path or the address and port, as net.Listen takes it.
func (e Endpoint) Address() string {
	if e.path != "" {
		return e.path
	}
	return e.addr.String()
}

// String returns the form that ParseEndpoint reads.
func (e Endpoint) String() string {
	if e.path != "" {
		return unixPrefix + e.path
	}
	return e.addr.String()
}
