package integration

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// routeFaults are those of what Buoy and an FRR send each other.
func routeFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	g := w.served()
	out, elsewhere := w.wayOut(g.Config(), "target:64512:10003"), w.wayOut(g.Config(), "target:64512:9999")
	limit := []string{"address-family ipv4 vpn", "neighbor PEER maximum-prefix 1"}
	second := "associate floatingip web-2 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.248"
	w.ctl("allocate floatingip web-2 --network vn-public --address 203.0.113.6")
	return w, []fault{
		{name: "the gateway is sent no more routes than it may have", inject: func() { w.ctl("set neighbor mx1 --max-advertised 1"); w.ctl(second) }, mend: w.does("set neighbor mx1 --max-advertised 0"),
			ask: "explain web-2", cause: "export", truth: "mx1 has the 1 routes that it may have at most > buoyctl set neighbor mx1 --max-advertised N, with a higher N"},
		{name: "the gateway's own limit of prefixes is hit", inject: w.typesAt(g, limit...), mend: func() {
			w.typesAt(g, limit[0], "no "+limit[1])()
			if _, err := g.CLI(w.deadline(), "clear bgp "+g.Config().Peer.Addr().String()); err != nil {
				t.Fatal(err)
			}
		}, ask: "explain web-1", cause: "established", truth: "the router's prefix limit is reached: raise it there and clear the session"},
		{name: "the gateway takes no IPv6 next hop for IPv4", inject: w.does("disassociate floatingip web-1", "create computenode six --address 2001:db8::11 --router-id 10.0.0.66",
			"associate floatingip web-1 --computenode six --interface tap0 --fixed-ip 10.47.255.249"), mend: func() { w.ctl("disassociate floatingip web-1"); w.associate() },
			ask: "explain web-1", cause: "export", truth: "mx1 did not offer IPv6 next hops for inet-vpn (RFC 8950) > enable IPv6 next hops for inet-vpn on the router"},
		{name: "no return route", inject: func() { w.withdraw(g, out) }, mend: func() { w.announce(g, out) },
			ask: "explain web-1", cause: "way_back !", truth: "vn-public.inet.0 does not have a default route: answers have no way out"},
		{name: "the return route has a target that the network does not import", inject: func() { w.announce(g, elsewhere) }, mend: func() { w.announce(g, out) },
			ask: "explain web-1", cause: "way_back !", truth: "mx1 announces 0.0.0.0/0 with target:64512:9999, which vn-public does not import"},
		{name: "the gateway announces more than may be taken", inject: func() {
			w.ctl("set neighbor mx1 --max-received 1")
			w.announce(g, w.origin(g.Config(), 7, "198.51.100.0/24", "10.0.0.9", "target:64512:10003"))
		}, mend: w.does("set neighbor mx1 --max-received 1000"),
			ask: "doctor", cause: "session_lacks", truth: "the neighbor announces more than the maximum of 1 routes: 1 left out"},
	}
}

// relay passes what agents and Buoy say to each other, until it freezes: then either
// hears nothing, and no connection ends.
type relay struct {
	listener net.Listener
	mu       sync.RWMutex // held while frozen
	frozen   bool         // owned by the test
}

// relay starts one in front of a Unix socket.
func (w *world) relay(server string) *relay {
	w.t.Helper()
	l, err := net.Listen("unix", filepath.Join(w.dir, "relay.sock"))
	if err != nil {
		w.t.Fatal(err)
	}
	r := &relay{listener: l}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	w.t.Cleanup(func() { r.thaw(); cancel(); l.Close(); running.Wait() })
	running.Go(func() {
		for {
			agent, err := l.Accept()
			if err != nil {
				return
			}
			buoy, err := net.Dial("unix", strings.TrimPrefix(server, "unix://"))
			if err != nil {
				agent.Close()
				continue
			}
			end := func() { agent.Close(); buoy.Close() }
			stop := context.AfterFunc(ctx, end)
			for _, way := range [][2]net.Conn{{agent, buoy}, {buoy, agent}} {
				running.Go(func() {
					io.Copy(gate{way[0], r}, way[1])
					stop()
					end()
				})
			}
		}
	})
	return r
}

func (r *relay) address() string { return "unix://" + r.listener.Addr().String() }

func (r *relay) freeze() {
	r.mu.Lock()
	r.frozen = true
}

func (r *relay) thaw() {
	if r.frozen {
		r.frozen = false
		r.mu.Unlock()
	}
}

// gate writes unless its relay is frozen.
type gate struct {
	io.Writer
	*relay
}

func (g gate) Write(p []byte) (int, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.Writer.Write(p)
}
