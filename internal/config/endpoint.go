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

// Endpoint is a place to listen on: a Unix socket, or a port of an address. It is
// comparable. The zero value is not an endpoint.
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

// ParseNodeEndpoint reads unix://PATH or ADDRESS:PORT, for compute nodes: they show who
// they are, and may come from other machines.
func ParseNodeEndpoint(s string) (Endpoint, error) {
	if strings.HasPrefix(s, unixPrefix) {
		return ParseEndpoint(s)
	}
	addr, err := parseListen(s)
	if err != nil {
		return Endpoint{}, expected("unix://PATH or an IP address and a port, for example 0.0.0.0:50052", s)
	}
	return Endpoint{addr: addr}, nil
}

// Local reports whether only this machine can connect to it.
func (e Endpoint) Local() bool { return e.path != "" || e.addr.Addr().IsLoopback() }

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
