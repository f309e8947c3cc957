package packet

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// The addresses of the underlay, and of those who use it.
var (
	gatewayAddr  = netip.MustParseAddr("10.0.0.1")
	controlAddrs = [2]netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")}
	nodeAddrs    = [2]netip.Addr{netip.MustParseAddr("10.0.0.11"), netip.MustParseAddr("10.0.0.12")}
	clientAddr   = netip.MustParseAddr("198.51.100.10") // the first of clientAddrs
	clientAddr6  = netip.MustParseAddr("2001:db8:51::10")
	fixedAddrs6  = [2]netip.Addr{netip.MustParseAddr("fd47::5"), netip.MustParseAddr("fd47::6")}
	fixedAddrs   = [2]netip.Addr{netip.MustParseAddr("10.47.0.5"), netip.MustParseAddr("10.47.0.6")}
)

// clientAddrs are many enough for a router that balances to send some of them each way.
func clientAddrs() (list []string) {
	for i, a := 0, clientAddr; i < 8; i, a = i+1, a.Next() {
		list = append(list, a.String())
	}
	return list
}

func node(i int) string     { return fmt.Sprintf("cmp%d", i+1) }
func workload(i int) string { return fmt.Sprintf("w%d", i+1) }
func control(i int) string  { return fmt.Sprintf("control%d", i+1) }

// furnish makes the machines, and the cables in between.
func furnish(ctx context.Context) error {
	b := &batch{}
	b.in("", "netns add core", "netns add gw", "netns add client")
	b.in("core", "link set lo up", "link add br0 type bridge", "link set br0 up")
	b.cable("gw", gatewayAddr)
	for i := range 2 {
		b.in("", "netns add "+node(i), "netns add "+workload(i), "netns add "+control(i))
		b.cable(node(i), nodeAddrs[i])
		b.cable(control(i), controlAddrs[i])
		b.workload(i)
	}
	b.sysctl("gw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.fib_multipath_hash_policy=1")
	b.in("", "link add c0 netns gw type veth peer name eth0 netns client")
	for i := range 2 {
		b.sysctl(node(i), "net.mpls.platform_labels=1048575", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
			"net.ipv4.fwmark_reflect=1", "net.ipv6.fwmark_reflect=1")
	}
	b.in("client", "link set lo up", "link set eth0 up", "address add "+clientAddr6.String()+"/64 dev eth0 nodad")
	for _, a := range clientAddrs() {
		b.in("client", "address add "+a+"/24 dev eth0")
	}
	b.in("client", "route add default via 198.51.100.1", "route add default via 2001:db8:51::1")
	return b.run(ctx)
}

// batch is a list of commands for ip(8) and sysctl(8), by namespace.
type batch struct{ commands []hostCommand }

type hostCommand struct{ namespace, program, text string }

func (b *batch) in(namespace string, commands ...string) {
	for _, c := range commands {
		b.commands = append(b.commands, hostCommand{namespace, "ip", c})
	}
}

// sysctl sets what a kernel does.
func (b *batch) sysctl(namespace string, settings ...string) {
	b.commands = append(b.commands, hostCommand{namespace, "sysctl", strings.Join(settings, " ")})
}

// cable plugs a machine into the underlay.
func (b *batch) cable(name string, addr netip.Addr) {
	b.in("", fmt.Sprintf("link add eth0 netns %s type veth peer name %s netns core", name, name))
	b.in("core", "link set "+name+" master br0 up")
	b.in(name, "link set lo up", "link set eth0 up", fmt.Sprintf("address add %v/24 dev eth0", addr))
}

// workload puts one at its compute node, as a provider does: an interface, a fixed IP and
// a way out.
func (b *batch) workload(i int) {
	b.in("", fmt.Sprintf("link add tap0 netns %s type veth peer name eth0 netns %s", node(i), workload(i)))
	b.in(node(i), "link set tap0 up", "address add 10.47.0.1/24 dev tap0", "address add fd47::1/64 dev tap0 nodad")
	b.in(workload(i), "link set lo up", "link set eth0 up", fmt.Sprintf("address add %v/24 dev eth0", fixedAddrs[i]),
		fmt.Sprintf("address add %v/64 dev eth0 nodad", fixedAddrs6[i]), "route add default via 10.47.0.1", "route add default via fd47::1")
}

// run runs the commands, those in a row for the same namespace at once: starting a
// program takes long here.
func (b *batch) run(ctx context.Context) error {
	for len(b.commands) > 0 {
		first, lines := b.commands[0], []string{}
		for len(b.commands) > 0 && b.commands[0].namespace == first.namespace && b.commands[0].program == first.program {
			lines = append(lines, b.commands[0].text)
			b.commands = b.commands[1:]
		}
		c := lab.Command{Path: "/bin/sh", Args: []string{"-c", "ip -batch - <<'END'\n" + strings.Join(lines, "\n") + "\nEND"}}
		if first.program == "sysctl" {
			c = lab.Command{Path: "/usr/sbin/sysctl", Args: append([]string{"-qw"}, strings.Fields(strings.Join(lines, " "))...)}
		}
		if err := runWell(ctx, c.At(first.namespace)); err != nil {
			return fmt.Errorf("in %s: %w", first.namespace, err)
		}
	}
	return nil
}

// command runs a program that must succeed.
func command(ctx context.Context, path string, args ...string) error {
	return runWell(ctx, lab.Command{Path: path, Args: args})
}

func runWell(ctx context.Context, c lab.Command) error {
	_, err := output(ctx, c)
	return err
}

// output returns what a program that must succeed has printed.
func output(ctx context.Context, c lab.Command) (string, error) {
	r, err := c.Run(ctx)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s %s: exit status %d\n%s%s", c.Path, strings.Join(c.Args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout, err
}
