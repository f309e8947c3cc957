package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// served is a world in which web-1 is reached through an FRR, which announces a default
// route: all is well.
func (w *world) served() *lab.FRR {
	w.t.Helper()
	needs(w.t, "frr")
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	config.Origins = []lab.Route{w.wayOut(config, "target:64512:10003")}
	g := w.importer("frr", "mx1", config)
	w.isWell("the start")
	return g.(*lab.FRR)
}

// wayOut is a default route of a gateway.
func (w *world) wayOut(config lab.GatewayConfig, target string) lab.Route {
	return w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", target)
}

// sessionFaults are those of a session with an FRR.
func sessionFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	g := w.served()
	signal := func(s syscall.Signal) func() { return func() { must(t, syscall.Kill(g.PID(), s)) } }
	clear := func() {
		if _, err := g.CLI(w.deadline(), "clear bgp "+g.Config().Peer.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	flap := func() {
		for i := range neighbor.KeptLosses {
			before := w.neighborState("mx1").Session.EstablishedCount
			clear()
			w.eventually(fmt.Sprint("flap ", i), func(context.Context) error {
				if n := w.neighborState("mx1"); n.Session.EstablishedCount == before || n.State != "ESTABLISHED" {
					return errors.New("not established anew")
				}
				return nil
			})
		}
	}
	// A new neighbor has no past: too many losses are a fault of their own.
	anew := w.does("delete neighbor mx1", strings.Join(g.Config().CreateNeighbor("mx1"), " "))
	return w, []fault{
		{name: "the neighbor is configured with the AS of somebody else", inject: w.does("set neighbor mx1 --as 64999"), mend: w.does("set neighbor mx1 --as 64512"),
			ask: "explain web-1", cause: "established", truth: "the neighbor says it is AS 64512; configured is 64999"},
		{name: "the gateway expects another AS of Buoy", inject: w.typesAt(g, "neighbor PEER remote-as 64999"), mend: w.typesAt(g, "neighbor PEER remote-as 64512"),
			ask: "explain web-1", cause: "established", truth: "the router expects another AS of us: our AS is 64512, correct its remote AS"},
		{name: "the gateway has Buoy's router id", inject: w.typesAt(g, "bgp router-id 10.0.0.2"), mend: w.typesAt(g, "bgp router-id "+g.Config().RouterID.String()),
			ask: "explain web-1", cause: "established", truth: "the neighbor has our own router id 10.0.0.2"},
		{name: "the session is shut down on the gateway", inject: w.typesAt(g, "neighbor PEER shutdown message replacing PSU 2"), mend: func() { w.typesAt(g, "no neighbor PEER shutdown")(); anew() },
			ask: "explain web-1", cause: "established", truth: `Administrative Shutdown: "replacing PSU 2"`},
		{name: "the gateway does not have the family", inject: w.typesAt(g, "address-family ipv4 vpn", "no neighbor PEER activate"), mend: w.typesAt(g, "address-family ipv4 vpn", "neighbor PEER activate"),
			ask: "explain web-1", cause: "family", truth: "mx1 did not negotiate inet-vpn > enable inet-vpn for this session on the router"},
		{name: "Buoy's side does not have the family", inject: w.does("set neighbor mx1 --families inet6-vpn"), mend: anew,
			ask: "explain web-1", cause: "configured", truth: "mx1 is not configured for inet-vpn > buoyctl set neighbor mx1 --families inet-vpn,inet6-vpn"},
		{name: "BGP on the gateway has crashed", inject: g.Kill, mend: func() { must(t, g.Restart(w.deadline())) },
			ask: "explain web-1", cause: "reachable", truth: "nothing listens there: check that BGP runs on the router"},
		{name: "BGP on the gateway hangs", inject: func() {
			w.ctl("set neighbor mx1 --hold-time 3")
			w.isWell("a new hold time")
			signal(syscall.SIGSTOP)()
		}, mend: signal(syscall.SIGCONT),
			ask: "explain web-1", cause: "established", truth: "we sent NOTIFICATION 4/0 Hold Timer Expired"},
		{name: "the session flaps", inject: flap, mend: anew,
			ask: "doctor", cause: "session_flaps", truth: "the session with mx1 was lost 5 times within"},
	}
}

// wireFaults are those of a cable between Buoy and an FRR; the session has an MD5 key.
func wireFaults(t *testing.T) (*world, []fault) {
	w := newWiredWorld(t, "frr")
	w.start()
	w.public()
	key := filepath.Join(w.dir, "key")
	must(t, os.WriteFile(key, []byte("secret"), 0o600))
	w.ctl("create neighbor mx1 --address 10.0.0.1 --as 64512 --families inet-vpn --hold-time 3 --md5-key-file " + key)
	text := strings.ReplaceAll(w.ctl("gateway-config --vendor frr --local-address 10.0.0.2"), "THE-MD5-KEY", "secret")
	g := w.wired("frr", text, ourAS).(*lab.FRR)
	w.established("mx1")
	w.associate()
	link := func(state string) func() { return func() { must(t, w.wire.Link(w.deadline(), state)) } }
	w.explains("web-1", "", "1 of 1 neighbors have a route")
	return w, []fault{
		{name: "the gateway has another MD5 key", inject: w.typesAt(g, "neighbor PEER password other"), mend: func() { w.typesAt(g, "neighbor PEER password secret")(); w.established("mx1") }, open: true,
			ask: "explain web-1", cause: "reachable", truth: "with a wrong MD5 signature arrived"},
		{name: "the cable to the gateway is cut", inject: link("down"), mend: func() { link("up")(); w.established("mx1") }, open: true,
			ask: "explain web-1", cause: "established", truth: "since then connect to 10.0.0.1:179: no route to host) > nothing came from the router for the hold time: check that it is up and that the path carries packets both ways"},
	}
}

// membershipFaults are those of gateways that say what they want.
func membershipFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", allFamilies)
	config.Origins = []lab.Route{w.wayOut(config, "target:64512:10003")}
	g := w.importer("gobgp", "mx1", config).(*lab.GoBGP)
	wants := func() { w.importVRF(g, fmt.Sprint("red", w.vrfs), "target:64512:10003") }
	const truth = "mx1 did not ask for any of target:64512:10003"
	return w, []fault{
		{name: "the gateway does not ask for the target", inject: func() {}, mend: wants, ask: "explain web-1", cause: "wanted", truth: truth},
		{name: "the gateway lost it in a flap: its VRF was never saved", inject: func() {
			g.Kill()
			must(t, g.Restart(w.deadline()))
			must(t, g.Announce(w.deadline()))
			w.established("mx1")
		}, mend: wants,
			ask: "explain web-1", cause: "wanted", truth: truth},
		{name: "the network has another target than the VRF", inject: w.does("set network vn-public --route-target target:64512:10004"), mend: w.does("set network vn-public --route-target target:64512:10003"),
			ask: "doctor", cause: "target_unwanted", truth: "let a VRF of the router import one of target:64512:10004"},
	}
}
