package linux

import (
	"flag"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/buoynet/buoy/internal/dataplane"
)

var node = dataplane.Settings{Address: netip.MustParseAddr("10.0.0.11"), MTU: 1500, UDPPort: 6635,
	Encapsulations: []dataplane.Encapsulation{dataplane.GRE, dataplane.UDP}}

// inNamespace gives a test a network namespace of its own, where the test's thread stays.
func inNamespace(t *testing.T, s dataplane.Settings) *Kernel {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread() // the thread ends with the test
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	k, err := open(ns, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// inGuest says that the kernel is one that lacks nothing.
var inGuest = flag.Bool("guest", false, "fail where the kernel lacks something: make lab has one that lacks nothing")

// capable skips a test where the kernel lacks something, with what it lacks.
func capable(t *testing.T, s dataplane.Settings) {
	t.Helper()
	for _, m := range probe(s) {
		if *inGuest {
			t.Fatal(m)
		}
		t.Skip(m)
	}
}

func addDummy(t *testing.T, k *Kernel, name string) {
	t.Helper()
	if err := k.links.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "-p"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{name, name + "-p"} {
		l, err := k.links.LinkByName(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.links.LinkSetUp(l); err != nil {
			t.Fatal(err)
		}
	}
}

func programme() dataplane.Programme {
	web := dataplane.FloatingIP{Name: "projects/p/floatingIps/web", Network: "projects/p/networks/public", Address: netip.MustParseAddr("203.0.113.5"),
		FixedIP: netip.MustParseAddr("10.47.0.5"), Interface: "tap0", Label: 100}
	web6 := web
	web6.Name, web6.Address, web6.FixedIP = web.Name+"6", netip.MustParseAddr("2001:db8:f::5"), netip.MustParseAddr("fd00:47::5")
	ports := web
	ports.Name, ports.Interface, ports.Label, ports.Address = web.Name+"-ports", "tap1", 101, netip.MustParseAddr("203.0.113.6")
	ports.Ports = []dataplane.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}
	hops := []dataplane.NextHop{{Address: netip.MustParseAddr("10.0.0.1"), Label: 16, Encapsulations: []dataplane.Encapsulation{dataplane.GRE}},
		{Address: netip.MustParseAddr("10.0.0.2"), Label: 17, Encapsulations: []dataplane.Encapsulation{dataplane.UDP}}}
	return dataplane.Programme{FloatingIPs: []dataplane.FloatingIP{web, web6, ports}, Routes: []dataplane.Route{
		{Network: web.Network, Prefix: netip.MustParsePrefix("0.0.0.0/0"), NextHops: hops},
		{Network: web.Network, Prefix: netip.MustParsePrefix("::/0"), NextHops: hops},
		{Network: web.Network, Prefix: netip.MustParsePrefix("198.51.100.0/24"), NextHops: hops[:1]}}}
}

var up = map[string]bool{"tap0": true, "tap1": true}

// What was applied is what is read: then there is nothing to do. And what is removed is gone.
func TestApplyRead(t *testing.T) {
	capable(t, node)
	k := inNamespace(t, node)
	if err := os.WriteFile(sysctlPath("mpls/platform_labels"), []byte("1048575"), 0); err != nil {
		t.Fatal(err)
	}
	addDummy(t, k, "tap0")
	addDummy(t, k, "tap1")
	wanted, problems := dataplane.Build(programme(), node, up, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	apply(t, k, wanted)
	if again := read(t, k); again.String() != wanted.String() {
		t.Fatalf("read\n%s\nwant\n%s", again, wanted)
	}
	if steps := dataplane.Diff(read(t, k), wanted); len(steps) != 0 {
		t.Errorf("there is something to do: %v", steps)
	}

	changed := programme()
	changed.FloatingIPs[0].FixedIP = netip.MustParseAddr("10.47.0.6")
	changed.FloatingIPs[2].Ports[0].FixedPort = 8081
	changed.Routes[0].NextHops = changed.Routes[0].NextHops[:1]
	changed.Routes = changed.Routes[:2]
	other, _ := dataplane.Build(changed, node, up, read(t, k).Zones())
	apply(t, k, other)
	if again := read(t, k); again.String() != other.String() {
		t.Fatalf("read\n%s\nwant\n%s", again, other)
	}

	if _, err := k.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if rest := read(t, k); len(rest) != 0 {
		t.Errorf("left:\n%s", rest)
	}
}

func apply(t *testing.T, k *Kernel, wanted dataplane.Plan) {
	t.Helper()
	if err := k.Apply(dataplane.Diff(read(t, k), wanted)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, k *Kernel) dataplane.Plan {
	t.Helper()
	p, err := k.Read()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
