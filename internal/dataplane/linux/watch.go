package linux

import (
	"context"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// Link is an interface that workloads may have.
type Link struct {
	Name string
	Up   bool
	// Why it is not up.
	Reason string
}

// fallback devices are there as soon as the kernel has a kind of tunnel.
var fallback = map[string]bool{"gre0": true, "gretap0": true, "erspan0": true, "tunl0": true, "sit0": true, "ip6tnl0": true, "ip6gre0": true}

// Links returns the interfaces of the namespace but the loopback, the agent's own ones, and
// those that the kernel makes by itself.
func (k *Kernel) Links() ([]Link, error) {
	list, err := k.links.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var links []Link
	for _, l := range list {
		a := l.Attrs()
		if a.Flags&net.FlagLoopback != 0 || isOurs(a.Name) || fallback[a.Name] {
			continue
		}
		links = append(links, linkOf(a))
	}
	return links, nil
}

func linkOf(a *netlink.LinkAttrs) Link {
	l := Link{Name: a.Name}
	switch {
	case a.Flags&net.FlagUp == 0:
		l.Reason = "the interface is down"
	case a.OperState == netlink.OperUp, a.OperState == netlink.OperUnknown && a.Flags&net.FlagRunning != 0:
		l.Up = true
	default:
		l.Reason = "the interface has no carrier: its state is " + a.OperState.String()
	}
	return l
}

// Watch calls changed, from a goroutine of its own, after anything about an interface has
// changed, until the context ends. When messages of the kernel were lost it begins anew,
// and calls changed, too.
func (k *Kernel) Watch(ctx context.Context, changed func()) error {
	for ctx.Err() == nil {
		updates, done := make(chan netlink.LinkUpdate, 64), make(chan struct{})
		err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{Namespace: &k.ns, ErrorCallback: func(error) {}})
		if err != nil {
			close(done)
			return fmt.Errorf("watch links: %w", err)
		}
		changed()
		drain(ctx, updates, changed)
		close(done)
		go func() { // until the subscription has seen that nobody listens
			for range updates {
			}
		}()
	}
	return nil
}

// drain calls changed for what comes, until no more does.
func drain(ctx context.Context, updates <-chan netlink.LinkUpdate, changed func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-updates:
			if !ok {
				return
			}
			changed()
		}
	}
}
