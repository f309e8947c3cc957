package linux

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// pairMAC is that of both ends: a popped packet is sent to the address of the device that
// it leaves by, and so it is for the other end. It is locally administered.
var pairMAC = net.HardwareAddr{0x02, 'b', 'u', 'o', 'y', 0x01}

// pairMTU is more than any packet has: large ones are segmented where they leave the node.
const pairMTU = 65535

// The numbers of FOU, and of MPLS as a protocol over IP (RFC 4023).
const (
	fouDirect = 1
	mplsInIP  = 137
)

const tunnelTTL = 64

func (k *Kernel) setPair() error {
	pop := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: dataplane.PopDevice, HardwareAddr: pairMAC, MTU: pairMTU},
		PeerName: dataplane.InDevice, PeerHardwareAddr: pairMAC}
	if err := k.links.LinkAdd(pop); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s: %w", dataplane.PopDevice, err)
	}
	settings := append(quiet(dataplane.PopDevice), quiet(dataplane.InDevice)...)
	// The source of a packet is reached by its mark, and through another device.
	settings = append(settings, setting{"ipv4/conf/" + dataplane.InDevice + "/rp_filter", "0", false},
		setting{"ipv4/conf/" + dataplane.InDevice + "/src_valid_mark", "1", false})
	if err := k.setSysctls(settings...); err != nil {
		return err
	}
	for _, name := range []string{dataplane.PopDevice, dataplane.InDevice} {
		link, err := k.links.LinkByName(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := k.links.LinkSetMTU(link, pairMTU); err != nil {
			return fmt.Errorf("MTU of %s: %w", name, err)
		}
		if err := k.links.LinkSetHardwareAddr(link, pairMAC); err != nil {
			return fmt.Errorf("address of %s: %w", name, err)
		}
		if err := k.links.LinkSetUp(link); err != nil {
			return fmt.Errorf("set %s up: %w", name, err)
		}
	}
	return nil
}

// quiet keeps IPv6 from speaking on a device of ours by itself.
func quiet(device string) []setting {
	conf := "ipv6/conf/" + device + "/"
	return []setting{{conf + "addr_gen_mode", "1", true}, {conf + "accept_ra", "0", true}}
}

// isUp tells whether a device of ours is.
func isUp(l netlink.Link) bool { return l.Attrs().Flags&net.FlagUp != 0 }

func (k *Kernel) setListener(l dataplane.Listener) error {
	err := k.links.FouAdd(netlink.Fou{Family: unix.AF_INET, Port: int(l.Port), Protocol: mplsInIP, EncapType: fouDirect})
	if err != nil && !errors.Is(err, unix.EADDRINUSE) && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s: %w", l, err)
	}
	return nil
}

func (k *Kernel) removeListener(l dataplane.Listener) error {
	err := k.links.FouDel(netlink.Fou{Family: unix.AF_INET, Port: int(l.Port), Protocol: mplsInIP, EncapType: fouDirect})
	if err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("remove %s: %w", l, err)
	}
	return nil
}

func (k *Kernel) readListeners(p dataplane.Plan) error {
	if _, err := netlink.FouFamilyId(); err != nil {
		return nil // the kernel has none
	}
	list, err := k.links.FouList(unix.AF_INET)
	if err != nil {
		return fmt.Errorf("list UDP listeners: %w", err)
	}
	for _, f := range list {
		if f.Protocol == mplsInIP && f.Port > 0 {
			l := dataplane.Listener{Port: uint16(f.Port)}
			p[l.Key()] = l
		}
	}
	return nil
}

// linkOf returns the device of a tunnel.
func (k *Kernel) linkOf(t dataplane.Tunnel) netlink.Link {
	attrs := netlink.LinkAttrs{Name: t.Name, MTU: t.MTU}
	var remote net.IP
	if t.Remote.IsValid() {
		remote = t.Remote.AsSlice()
	}
	if t.Encapsulation == dataplane.UDP {
		return &netlink.Iptun{LinkAttrs: attrs, Local: t.Local.AsSlice(), Remote: remote, Ttl: tunnelTTL, PMtuDisc: 1,
			Proto: mplsInIP, EncapType: fouDirect, EncapDport: k.settings.UDPPort}
	}
	return &netlink.Gretun{LinkAttrs: attrs, Local: t.Local.AsSlice(), Remote: remote, Ttl: tunnelTTL, PMtuDisc: 1}
}

// tunnelOf is the reverse of linkOf. What is not as linkOf makes it has no MTU.
func (k *Kernel) tunnelOf(l netlink.Link) (dataplane.Tunnel, bool) {
	t := dataplane.Tunnel{Name: l.Attrs().Name, MTU: l.Attrs().MTU}
	var local, remote net.IP
	switch d := l.(type) {
	case *netlink.Gretun:
		t.Encapsulation, local, remote = dataplane.GRE, d.Local, d.Remote
	case *netlink.Iptun:
		t.Encapsulation, local, remote = dataplane.UDP, d.Local, d.Remote
		if d.Proto != mplsInIP || d.EncapType != fouDirect || d.EncapDport != k.settings.UDPPort {
			t.MTU = 0
		}
	default:
		return t, false
	}
	t.Local, t.Remote = address(local), address(remote)
	if !isUp(l) {
		t.MTU = 0
	}
	return t, true
}

func address(ip net.IP) netip.Addr {
	a, ok := netip.AddrFromSlice(ip)
	if !ok || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a.Unmap()
}

// setTunnel makes a tunnel, or puts it right. What comes out of it has its chain before it
// is let in.
func (k *Kernel) setTunnel(t dataplane.Tunnel) error {
	link, err := k.links.LinkByName(t.Name)
	if err == nil {
		if found, ok := k.tunnelOf(link); !ok || found.Encapsulation != t.Encapsulation || found.Local != t.Local || found.Remote != t.Remote {
			if err := k.links.LinkDel(link); err != nil {
				return fmt.Errorf("remove %s: %w", t.Name, err)
			}
			err = os.ErrNotExist
		}
	}
	if err != nil {
		if err := k.links.LinkAdd(k.linkOf(t)); err != nil {
			return fmt.Errorf("add %s: %w", t, err)
		}
		if link, err = k.links.LinkByName(t.Name); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	if err := k.links.LinkSetMTU(link, t.MTU); err != nil {
		return fmt.Errorf("MTU %d of %s: %w", t.MTU, t.Name, err)
	}
	if err := k.setIngress(t.Name); err != nil {
		return err
	}
	if err := k.setSysctls(append(quiet(t.Name), setting{mplsInput(t.Name), "1", false})...); err != nil {
		return err
	}
	if err := k.links.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", t.Name, err)
	}
	return nil
}

func mplsInput(device string) string { return "mpls/conf/" + device + "/input" }

// setIngress makes the chain that turns labels into marks.
func (k *Kernel) setIngress(device string) error {
	table := k.nft.AddTable(netdevTable())
	c := k.nft.AddChain(&nftables.Chain{Table: table, Name: device, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookIngress, Priority: nftables.ChainPriorityFilter, Device: device})
	k.nft.FlushChain(c)
	k.nft.AddRule(&nftables.Rule{Table: table, Chain: c, Exprs: ingress})
	if err := k.nft.Flush(); err != nil {
		return fmt.Errorf("nftables ingress of %s: %w", device, err)
	}
	return nil
}

// readDevices adds the pair and the tunnels.
func (k *Kernel) readDevices(p dataplane.Plan) error {
	list, err := k.links.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	chains, err := k.nft.ListChainsOfTableFamily(nftables.TableFamilyNetdev)
	if err != nil {
		return fmt.Errorf("list nftables chains: %w", err)
	}
	marks := map[string]bool{}
	for _, c := range chains {
		marks[c.Name] = marks[c.Name] || c.Table.Name == tableName
	}
	ends := 0
	for _, l := range list {
		name := l.Attrs().Name
		if name == dataplane.PopDevice || name == dataplane.InDevice {
			if isUp(l) && l.Attrs().HardwareAddr.String() == pairMAC.String() {
				ends++
			}
			continue
		}
		t, ok := k.tunnelOf(l)
		if !ok || !isOurs(name) {
			continue
		}
		input, err := k.sysctl(mplsInput(name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if input != "1" || !marks[name] {
			t.MTU = 0
		}
		p[t.Key()] = t
	}
	if ends == 2 {
		p[dataplane.Pair{}.Key()] = dataplane.Pair{}
	}
	return nil
}

// removeDevice removes one, and what stands on it.
func (k *Kernel) removeDevice(name string) error {
	link, err := k.links.LinkByName(name)
	if _, gone := errors.AsType[netlink.LinkNotFoundError](err); gone {
		return nil
	}
	if err == nil {
		err = k.links.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}
