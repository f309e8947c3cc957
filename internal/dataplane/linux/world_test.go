package linux

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// world is a client behind a gateway, a compute node, and workloads: each a network
// namespace. The gateway is the kernel's, set up by hand; the node is what is tested.
//
//	client ── gateway ══ tunnel ══ node ── tap0 ── pod0
//	                                    └─ tap1 ── pod1, with the same fixed IP
type world struct {
	*testing.T
	kernel                            *Kernel // of the node
	client, gateway, node, pod0, pod1 *place
}

// place is a network namespace.
type place struct {
	*testing.T
	ns    netns.NsHandle
	links *netlink.Handle
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{T: t}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var err error
		p.ns, err = netns.New()
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var err error
	if p.links, err = netlink.NewHandleAt(p.ns, families...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.links.Close(); p.ns.Close() })
	p.up("lo")
	return p
}

// in calls f in the place.
func (p *place) in(f func() error) {
	p.Helper()
	k := &Kernel{ns: p.ns, named: true}
	if err := k.inside(f); err != nil {
		p.Fatal(err)
	}
}

func (p *place) sysctl(list ...setting) {
	p.Helper()
	if err := (&Kernel{ns: p.ns, named: true}).setSysctls(list...); err != nil {
		p.Fatal(err)
	}
}

func (p *place) link(name string) netlink.Link {
	p.Helper()
	l, err := p.links.LinkByName(name)
	if err != nil {
		p.Fatalf("%s: %v", name, err)
	}
	return l
}

func (p *place) up(name string, addrs ...string) {
	p.Helper()
	l := p.link(name)
	for _, a := range addrs {
		addr, err := netlink.ParseAddr(a)
		if err == nil {
			addr.Flags = unix.IFA_F_NODAD
			err = p.links.AddrAdd(l, addr)
		}
		if err != nil {
			p.Fatal(a, err)
		}
	}
	if err := p.links.LinkSetUp(l); err != nil {
		p.Fatal(err)
	}
}

func (p *place) route(r netlink.Route, device string) {
	p.Helper()
	r.LinkIndex = p.link(device).Attrs().Index
	if err := p.links.RouteReplace(&r); err != nil {
		p.Fatalf("%v: %v", r, err)
	}
}

func (p *place) via(prefix, gateway, device string) {
	p.Helper()
	p.route(netlink.Route{Dst: prefixOf(netip.MustParsePrefix(prefix)), Gw: net.ParseIP(gateway)}, device)
}

// wire joins two places.
func wire(a *place, nameA string, b *place, nameB string) {
	a.Helper()
	v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: nameA}, PeerName: nameB, PeerNamespace: netlink.NsFd(b.ns)}
	if err := a.links.LinkAdd(v); err != nil {
		a.Fatal(err)
	}
}

const (
	nodeAddress    = "10.0.0.11"
	gatewayAddress = "10.0.0.1"
	fixed4, fixed6 = "10.47.0.5", "fd00:47::5"
	client4        = "198.51.100.10"
	client6        = "2001:db8:51::10"
	gatewayLabel   = 16
)

func newWorld(t *testing.T) *world {
	capable(t, node)
	w := &world{T: t, client: newPlace(t), gateway: newPlace(t), node: newPlace(t), pod0: newPlace(t), pod1: newPlace(t)}
	forwarding := []setting{{"ipv4/ip_forward", "1", false}, {"ipv6/conf/all/forwarding", "1", false}, {"mpls/platform_labels", "1048575", false},
		{"ipv4/fwmark_reflect", "1", false}, {"ipv6/fwmark_reflect", "1", false}}
	w.gateway.sysctl(forwarding...)
	w.node.sysctl(forwarding...)
	wire(w.client, "eth0", w.gateway, "c0")
	wire(w.gateway, "eth0", w.node, "eth0")
	w.client.up("eth0", client4+"/24", client6+"/64")
	w.gateway.up("c0", "198.51.100.1/24", "2001:db8:51::1/64")
	w.gateway.up("eth0", gatewayAddress+"/24")
	w.node.up("eth0", nodeAddress+"/24")
	w.client.via("0.0.0.0/0", "198.51.100.1", "eth0")
	w.client.via("::/0", "2001:db8:51::1", "eth0")
	for i, pod := range []*place{w.pod0, w.pod1} {
		tap := fmt.Sprintf("tap%d", i)
		wire(w.node, tap, pod, "eth0")
		w.node.up(tap, fmt.Sprintf("169.254.1.%d/32", i+1), fmt.Sprintf("fe80::%d/64", i+1))
		w.node.sysctl(setting{"ipv4/conf/" + tap + "/rp_filter", "1", false})
		pod.up("eth0", fixed4+"/32", fixed6+"/128")
		// The node's main table does not know the pod, so its strict check refuses ARP.
		neighbor := &netlink.Neigh{LinkIndex: pod.link("eth0").Attrs().Index, State: netlink.NUD_PERMANENT,
			IP: net.IPv4(169, 254, 1, byte(i+1)), HardwareAddr: w.node.link(tap).Attrs().HardwareAddr}
		if err := pod.links.NeighSet(neighbor); err != nil {
			t.Fatal(err)
		}
		pod.route(netlink.Route{Dst: prefixOf(netip.MustParsePrefix(fmt.Sprintf("169.254.1.%d/32", i+1))), Scope: netlink.SCOPE_LINK}, "eth0")
		pod.via("0.0.0.0/0", fmt.Sprintf("169.254.1.%d", i+1), "eth0")
		pod.via("::/0", fmt.Sprintf("fe80::%d", i+1), "eth0")
	}
	var err error
	if w.kernel, err = open(w.node.ns, node); err != nil {
		t.Fatal(err)
	}
	w.kernel.named = true
	t.Cleanup(func() {
		if t.Failed() {
			w.gateway.log("gateway")
			w.node.log("node")
		}
	})
	if err := w.kernel.Check(); err != nil {
		t.Fatal(err)
	}
	return w
}

// tunnels makes the gateway's end, and has it send floating IPs with labels there.
func (w *world) tunnels(e dataplane.Encapsulation, floating map[string]uint32) {
	w.Helper()
	k := &Kernel{settings: node, links: w.gateway.links}
	s := dataplane.Tunnel{Name: "t0", Encapsulation: e, Local: netip.MustParseAddr(gatewayAddress), Remote: netip.MustParseAddr(nodeAddress), MTU: 1476}
	if e == dataplane.UDP {
		if err := k.setListener(dataplane.Listener{Port: node.UDPPort}); err != nil {
			w.Fatal(err)
		}
	}
	if old, err := w.gateway.links.LinkByName(s.Name); err == nil {
		if err := w.gateway.links.LinkDel(old); err != nil {
			w.Fatal(err)
		}
	}
	if err := w.gateway.links.LinkAdd(k.linkOf(s)); err != nil {
		w.Fatal(err)
	}
	w.gateway.up("t0")
	w.gateway.sysctl(setting{mplsInput("t0"), "1", false})
	for addr, label := range floating {
		a := netip.MustParseAddr(addr)
		w.gateway.route(netlink.Route{Dst: prefixOf(netip.PrefixFrom(a, a.BitLen())), Encap: &netlink.MPLSEncap{Labels: []int{int(label)}}}, "t0")
	}
	for i, to := range []string{client4, client6} {
		label := gatewayLabel + i
		family, ip := netlink.FAMILY_V4, net.ParseIP(to).To4()
		if i == 1 {
			family, ip = netlink.FAMILY_V6, net.ParseIP(to)
		}
		w.gateway.route(netlink.Route{MPLSDst: &label, Via: &netlink.Via{AddrFamily: family, Addr: ip}}, "c0")
	}
}

// log shows where packets have been, for a test that has failed.
func (p *place) log(name string) {
	list, err := p.links.LinkList()
	if err != nil {
		p.Error(err)
	}
	for _, l := range list {
		s := l.Attrs().Statistics
		p.Logf("%s %s: received %d, %d wrong, %d dropped; sent %d, %d wrong, %d dropped", name, l.Attrs().Name,
			s.RxPackets, s.RxErrors, s.RxDropped, s.TxPackets, s.TxErrors, s.TxDropped)
	}
}

func (w *world) program(p dataplane.Programme) {
	w.Helper()
	wanted, problems := dataplane.Build(p, node, up, read(w.T, w.kernel).Zones())
	if len(problems) > 0 {
		w.Fatal(problems)
	}
	apply(w.T, w.kernel, wanted)
}

// serve answers on a port with what the place is called, and who asks, and then echoes.
func (p *place) serve(name, address string) {
	p.Helper()
	var l net.Listener
	p.in(func() (err error) {
		l, err = net.Listen("tcp", address)
		return err
	})
	p.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%-64s", name+" "+host)
				io.Copy(c, c)
			}()
		}
	}()
}

// dial connects, from a port if that is not 0, and returns what the server has said.
func (p *place) dial(address string, from int) (net.Conn, string, error) {
	var c net.Conn
	var err error
	(&Kernel{ns: p.ns, named: true}).inside(func() error {
		d := net.Dialer{Timeout: 2 * time.Second}
		if from > 0 {
			d.LocalAddr = &net.TCPAddr{Port: from}
			d.Control = func(_, _ string, c syscall.RawConn) (err error) { // for several connections from one port
				return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) }), err)
			}
		}
		c, err = d.Dial("tcp", address)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	p.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	hello := make([]byte, 64)
	_, err = io.ReadFull(c, hello)
	return c, string(bytes.TrimSpace(hello)), err
}

// expect connects and compares what the server says.
func (p *place) expect(address string, from int, want string) net.Conn {
	p.Helper()
	c, got, err := p.dial(address, from)
	if err != nil || got != want {
		p.Fatalf("%s says %q, want %q: %v", address, got, want, err)
	}
	return c
}

func (p *place) refused(address string) {
	p.Helper()
	if _, got, err := p.dial(address, 0); err == nil {
		p.Errorf("%s answers %q, and should not", address, got)
	}
}

// transfer sends so much that segments have their full size, there and back.
func transfer(t *testing.T, c net.Conn) {
	t.Helper()
	sent := make([]byte, 300_000)
	rand.Read(sent)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Write(sent)
		failed <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatal("what came back is not what was sent")
	}
}
