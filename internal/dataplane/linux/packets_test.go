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
		pod.up("eth0", fixed4+"/32", fixed6+"/128")
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

const network = "projects/p/networks/public"

func floatingIP(name, address, fixed, device string, label uint32) dataplane.FloatingIP {
	return dataplane.FloatingIP{Name: name, Network: network, Address: netip.MustParseAddr(address), FixedIP: netip.MustParseAddr(fixed), Interface: device, Label: label}
}

func routesTo(e dataplane.Encapsulation) []dataplane.Route {
	hop := dataplane.NextHop{Address: netip.MustParseAddr(gatewayAddress), Label: gatewayLabel, Encapsulations: []dataplane.Encapsulation{e}}
	hop6 := hop
	hop6.Label++
	return []dataplane.Route{{Network: network, Prefix: netip.MustParsePrefix("0.0.0.0/0"), NextHops: []dataplane.NextHop{hop}},
		{Network: network, Prefix: netip.MustParsePrefix("::/0"), NextHops: []dataplane.NextHop{hop6}}}
}

func both(e dataplane.Encapsulation) dataplane.Programme {
	return dataplane.Programme{Routes: routesTo(e), FloatingIPs: []dataplane.FloatingIP{
		floatingIP("web0", "203.0.113.5", fixed4, "tap0", 100), floatingIP("web1", "203.0.113.6", fixed4, "tap1", 101),
		floatingIP("web0-6", "2001:db8:f::5", fixed6, "tap0", 100), floatingIP("web1-6", "2001:db8:f::6", fixed6, "tap1", 101)}}
}

var labelsOfBoth = map[string]uint32{"203.0.113.5": 100, "203.0.113.6": 101, "2001:db8:f::5": 100, "2001:db8:f::6": 101}

// A client reaches two workloads with the same fixed IP, and they reach the client, over
// both encapsulations and with both families; segments of full size get through.
func TestPackets(t *testing.T) {
	for _, e := range []dataplane.Encapsulation{dataplane.GRE, dataplane.UDP} {
		t.Run(string(e), func(t *testing.T) {
			w := newWorld(t)
			w.tunnels(e, labelsOfBoth)
			w.program(both(e))
			for i, pod := range []*place{w.pod0, w.pod1} {
				name := fmt.Sprintf("pod%d", i)
				pod.serve(name, "0.0.0.0:80")
				pod.serve(name, "[::]:81")
			}
			w.client.serve("client", "0.0.0.0:90")
			w.client.serve("client", "[::]:91")
			transfer(t, w.client.expect("203.0.113.5:80", 5555, "pod0 "+client4))
			transfer(t, w.client.expect("203.0.113.6:80", 5555, "pod1 "+client4))
			transfer(t, w.client.expect("[2001:db8:f::5]:81", 5555, "pod0 "+client6))
			transfer(t, w.client.expect("[2001:db8:f::6]:81", 5555, "pod1 "+client6))
			transfer(t, w.pod0.expect(client4+":90", 6666, "client 203.0.113.5"))
			transfer(t, w.pod1.expect(client4+":90", 6666, "client 203.0.113.6"))
			transfer(t, w.pod0.expect("["+client6+"]:91", 6666, "client 2001:db8:f::5"))
			transfer(t, w.pod1.expect("["+client6+"]:91", 6666, "client 2001:db8:f::6"))
		})
	}
}

// Direction and port mappings decide who may open connections, also of connections that
// are there; the node itself is not reached behind a label.
func TestDirection(t *testing.T) {
	w := newWorld(t)
	w.tunnels(dataplane.GRE, map[string]uint32{"203.0.113.5": 100, "203.0.113.6": 101, "203.0.113.99": 100})
	w.node.up("lo", "203.0.113.99/32") // of the node itself
	p := both(dataplane.GRE)
	p.FloatingIPs[0].Direction = dataplane.Ingress
	p.FloatingIPs[1].Direction = dataplane.Egress
	w.program(p)
	w.pod0.serve("pod0", "0.0.0.0:80")
	w.pod0.serve("pod0", "0.0.0.0:8080")
	w.pod1.serve("pod1", "0.0.0.0:80")
	w.node.serve("node", "0.0.0.0:80")
	w.client.serve("client", "0.0.0.0:90")
	transfer(t, w.client.expect("203.0.113.5:80", 0, "pod0 "+client4))
	w.pod0.refused(client4 + ":90")
	w.client.refused("203.0.113.6:80")
	transfer(t, w.pod1.expect(client4+":90", 0, "client 203.0.113.6"))
	w.client.refused("203.0.113.99:80")
	w.gateway.route(netlink.Route{Dst: prefixOf(netip.MustParsePrefix("203.0.113.99/32"))}, "t0") // without a label
	w.client.refused("203.0.113.99:80")

	p.FloatingIPs[0].Direction = ""
	p.FloatingIPs[0].Ports = []dataplane.PortMapping{{Protocol: "tcp", Port: 443, FixedPort: 8080}}
	w.program(p)
	transfer(t, w.client.expect("203.0.113.5:443", 0, "pod0 "+client4))
	transfer(t, w.pod0.expect(client4+":90", 0, "client 203.0.113.5"))
	w.client.refused("203.0.113.5:80")
	w.client.refused("203.0.113.5:8080")
}

// What is for a workload whose interface is down does not go back to the gateway.
func TestInterfaceDown(t *testing.T) {
	w := newWorld(t)
	w.tunnels(dataplane.GRE, labelsOfBoth)
	wanted, problems := dataplane.Build(both(dataplane.GRE), node, map[string]bool{"tap1": true}, nil)
	if len(problems) != 2 {
		t.Errorf("problems: %v", problems)
	}
	apply(t, w.kernel, wanted)
	w.pod1.serve("pod1", "0.0.0.0:80")
	sent := func() uint64 { return w.gateway.link("t0").Attrs().Statistics.RxPackets }
	before := sent()
	w.client.refused("203.0.113.5:80")
	if got := sent() - before; got > 0 {
		t.Errorf("the gateway got %d packets back", got)
	}
	w.client.expect("203.0.113.6:80", 0, "pod1 "+client4)
}

// An agent that starts again finds all in place, and a connection goes on, also over a
// change of the fixed part of the rules, and of the workload beside it.
func TestGoesOn(t *testing.T) {
	w := newWorld(t)
	w.tunnels(dataplane.GRE, labelsOfBoth)
	p := both(dataplane.GRE)
	w.program(p)
	w.pod1.serve("pod1", "0.0.0.0:80")
	c := w.client.expect("203.0.113.6:80", 0, "pod1 "+client4)
	transfer(t, c)
	again, err := open(w.node.ns, node)
	if err != nil {
		t.Fatal(err)
	}
	defer again.links.Close()
	again.named = true
	found := read(t, again)
	wanted, _ := dataplane.Build(p, node, up, found.Zones())
	if steps := dataplane.Diff(found, wanted); len(steps) > 0 {
		t.Errorf("there is something to do: %v", steps)
	}
	w.kernel = again
	p.FloatingIPs = append(p.FloatingIPs[:0:0], p.FloatingIPs[1]) // the workload in the default zone goes
	w.program(p)
	transfer(t, c)
	small := node
	small.MTU = 1450
	wanted, _ = dataplane.Build(p, small, up, read(t, again).Zones())
	apply(t, again, wanted)
	transfer(t, c)
}

// A packet that is too big is answered by ICMP with the size that fits: 28 bytes less than
// the underlay's over GRE.
func TestPathMTU(t *testing.T) {
	w := newWorld(t)
	w.tunnels(dataplane.GRE, labelsOfBoth)
	w.program(both(dataplane.GRE))
	for i, pod := range []*place{w.pod0, w.pod1} {
		pod.in(func() error {
			c, err := net.Dial("udp4", client4+":99")
			if err != nil {
				return err
			}
			defer c.Close()
			raw, err := c.(*net.UDPConn).SyscallConn()
			if err != nil {
				return err
			}
			var mtu int
			option := func(set bool) (err error) {
				return errors.Join(raw.Control(func(fd uintptr) {
					if set {
						err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
						return
					}
					mtu, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU)
				}), err)
			}
			if err := option(true); err != nil {
				return err
			}
			for deadline := time.Now().Add(5 * time.Second); ; {
				_, err := c.Write(make([]byte, 1472))
				if errors.Is(err, syscall.EMSGSIZE) {
					break
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("pod%d was not told that a packet is too big; last error: %v", i, err)
				}
				time.Sleep(10 * time.Millisecond) // before the next packet
			}
			if err := option(false); err != nil {
				return err
			}
			if mtu != 1472 {
				return fmt.Errorf("pod%d: the path has %d bytes, want 1472", i, mtu)
			}
			return nil
		})
	}
}
