package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Wire is a network of two machines, Buoy's and a gateway's, with a cable in
// between. What runs there has the addresses, ports and interfaces of a real
// network, so a configuration for one works as it is:
//
//   - Buoy is 10.0.0.2, the gateway 10.0.0.1, both on eth0, and nobody else is on
//     that network,
//   - the gateway has a device gre1 that says that it is a GRE tunnel, with the
//     routes to the compute node 10.0.0.11 through it.
//
// It needs root. When its processes and its descriptors are gone, the kernel
// takes it away.
type Wire struct {
	buoy, gateway *os.File // network namespaces
}

// The ends of the wire.
var (
	WiredBuoy    = netip.MustParseAddrPort("10.0.0.2:179")
	WiredGateway = netip.MustParseAddrPort("10.0.0.1:179")
)

// NewWire makes one.
func NewWire(ctx context.Context) (*Wire, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNeedsRoot
	}
	w := &Wire{}
	made := make(chan error)
	go func() {
		// The thread changes its namespace and ends with the goroutine, which
		// does not unlock it.
		runtime.LockOSThread()
		made <- w.furnish(ctx)
	}()
	if err := <-made; err != nil {
		w.Close()
		return nil, fmt.Errorf("make a wire: %w", err)
	}
	return w, nil
}

func (w *Wire) furnish(ctx context.Context) (err error) {
	for _, end := range []**os.File{&w.buoy, &w.gateway} {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		if *end, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
	}
	if err := makeGRETun(frrTunnel); err != nil {
		return fmt.Errorf("make the TUN device %s: %w", frrTunnel, err)
	}
	buoy := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), w.buoy.Fd())
	for _, command := range []string{
		"ip link add eth0 type veth peer name eth0 netns " + buoy,
		"ip address add 10.0.0.1/30 dev eth0", "ip link set lo up", "ip link set eth0 up", "ip link set gre1 up",
		"ip route add 10.0.0.11/32 dev gre1",
		"nsenter --net=" + buoy + " ip address add 10.0.0.2/30 dev eth0",
		"nsenter --net=" + buoy + " ip link set lo up", "nsenter --net=" + buoy + " ip link set eth0 up",
	} {
		words := strings.Fields(command)
		if err := runWell(ctx, Command{Path: words[0], Args: words[1:]}); err != nil {
			return err
		}
	}
	return nil
}

// Close leaves it to the kernel.
func (w *Wire) Close() error { return errors.Join(w.buoy.Close(), w.gateway.Close()) }

// atBuoy and atGateway return a command that runs at an end of the wire, if
// there is one.
func (w *Wire) atBuoy(c Command) Command {
	if w == nil {
		return c
	}
	return entering(c, "--net", w.buoy)
}

func (w *Wire) atGateway(c Command) Command {
	if w == nil {
		return c
	}
	return entering(c, "--net", w.gateway)
}

// entering returns a command run in a namespace.
func entering(c Command, option string, namespace *os.File) Command {
	c.Path, c.Args = "/usr/bin/nsenter", append([]string{
		fmt.Sprintf("%s=/proc/%d/fd/%d", option, os.Getpid(), namespace.Fd()), "--", c.Path}, c.Args...)
	return c
}

// Configure runs a command at the gateway, as its operator does.
func (w *Wire) Configure(ctx context.Context, command string) error {
	words := strings.Fields(command)
	return runWell(ctx, w.atGateway(Command{Path: words[0], Args: words[1:]}))
}

// Link sets the gateway's end of the cable "up" or "down".
func (w *Wire) Link(ctx context.Context, state string) error {
	return w.Configure(ctx, "ip link set eth0 "+state)
}
