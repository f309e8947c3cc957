package linux

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

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
