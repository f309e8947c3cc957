package linux

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// protocol marks our routes and rules. It is of the range that nobody has registered
// (/etc/iproute2/rt_protos).
const protocol = 176

// Kernel is a network namespace. It belongs to one goroutine at a time.
type Kernel struct {
	settings dataplane.Settings
	ns       netns.NsHandle
	named    bool // not the one that this process is in
	links    *netlink.Handle
	nft      *nftables.Conn
}

// Open opens a network namespace: by its name, as of ip netns, by its path, or that of
// this process if the name is empty.
func Open(name string, s dataplane.Settings) (*Kernel, error) {
	ns, err := namespace(name)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	k, err := open(ns, s)
	if err != nil {
		ns.Close()
		return nil, err
	}
	k.named = name != ""
	return k, nil
}

func namespace(name string) (netns.NsHandle, error) {
	switch {
	case name == "":
		return netns.Get()
	case strings.Contains(name, "/"):
		return netns.GetFromPath(name)
	}
	return netns.GetFromName(name)
}

// families are those of netlink that are used; by default the generic one is that of this
// process's namespace.
var families = []int{unix.NETLINK_ROUTE, unix.NETLINK_GENERIC}

func open(ns netns.NsHandle, s dataplane.Settings) (*Kernel, error) {
	links, err := netlink.NewHandleAt(ns, families...)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w; the agent needs CAP_NET_ADMIN", err)
	}
	nft, err := nftables.New(nftables.WithNetNSFd(int(ns)))
	if err != nil {
		links.Close()
		return nil, fmt.Errorf("nftables: %w", err)
	}
	return &Kernel{settings: s, ns: ns, links: links, nft: nft}, nil
}

// Close ends the access. What was programmed stays.
func (k *Kernel) Close() error {
	k.links.Close()
	return k.ns.Close()
}

// Set says what the node is, once that is known.
func (k *Kernel) Set(s dataplane.Settings) { k.settings = s }

// inside calls f in the namespace. Only what has no handle needs that: sysctls.
func (k *Kernel) inside(f func() error) error {
	if !k.named {
		return f()
	}
	result := make(chan error, 1)
	go func() {
		// The thread is never given back: it ends with this goroutine.
		runtime.LockOSThread()
		if err := netns.Set(k.ns); err != nil {
			result <- fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		result <- f()
	}()
	return <-result
}

func sysctlPath(name string) string { return filepath.Join("/proc/sys/net", name) }

// sysctl returns a setting, like mpls/platform_labels.
func (k *Kernel) sysctl(name string) (value string, err error) {
	err = k.inside(func() error {
		text, err := os.ReadFile(sysctlPath(name))
		value = strings.TrimSpace(string(text))
		return err
	})
	return value, err
}

// setSysctls changes settings, in order. Those that are right are not written, since
// /proc/sys may be read-only.
func (k *Kernel) setSysctls(settings ...setting) error {
	return k.inside(func() error {
		for _, s := range settings {
			path := sysctlPath(s.name)
			old, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) && s.optional {
				continue
			}
			if err == nil && strings.TrimSpace(string(old)) == s.value {
				continue
			}
			if err == nil {
				err = os.WriteFile(path, []byte(s.value), 0o644)
			}
			if err != nil {
				return fmt.Errorf("sysctl net/%s=%s: %w", s.name, s.value, err)
			}
		}
		return nil
	})
}

type setting struct {
	name, value string
	optional    bool // where the kernel has no such thing, as without IPv6
}

// MTU returns the device that has an address, and its MTU in bytes.
func (k *Kernel) MTU(addr netip.Addr) (device string, mtu int, err error) {
	list, err := k.links.LinkList()
	if err != nil {
		return "", 0, fmt.Errorf("list links: %w", err)
	}
	for _, l := range list {
		addrs, err := k.links.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			return "", 0, fmt.Errorf("addresses of %s: %w", l.Attrs().Name, err)
		}
		for _, a := range addrs {
			if ip, ok := netip.AddrFromSlice(a.IP); ok && ip.Unmap() == addr {
				return l.Attrs().Name, l.Attrs().MTU, nil
			}
		}
	}
	return "", 0, fmt.Errorf("no interface has the address %v", addr)
}
