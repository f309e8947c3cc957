package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// neighborState is what the tests read of get neighbors -o json.
type neighborState struct {
	Name    string
	State   string
	Reason  string `json:"state_reason"`
	Next    string `json:"next_step"`
	Session struct {
		Since            string
		EstablishedCount string `json:"established_count"`
		Flaps            string
		LastUp           string `json:"last_up"`
		LastDown         string `json:"last_down"`
		Received         received
		Sent             struct{ Updates string }
		OpenReceived     struct{ Capabilities []int } `json:"open_received"`
		OpenSent         struct {
			HoldTime int `json:"hold_time"`
			Restart  struct {
				Restarting bool
				Families   []string
				Preserved  []string `json:"preserved_families"`
			}
		} `json:"open_sent"`
	}
}

// received counts messages.
type received struct {
	Opens, Updates, Notifications, Keepalives, Refused, Malformed int `json:",string"`

	RouteRefreshes int `json:"route_refreshes,string"`
}

func (w *world) neighborState(name string) (n neighborState) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.ctl("get neighbors "+name+" -o json")), &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestTwoNeighbors: one that Buoy connects to, and one that connects to Buoy.
func TestTwoNeighbors(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	dialed := w.peer("mx1", vpnFamilies)
	config := w.gatewayConfig("mx2", vpnFamilies)
	config.Active = true
	active := w.gateway(config)
	w.neighbor("mx2", config)
	for _, g := range []*lab.GoBGP{dialed, active} {
		w.wantVPN(g, lab.VPNv4, web1)
	}
	w.ctl("disassociate floatingip web-1")
	for _, g := range []*lab.GoBGP{dialed, active} {
		w.wantVPN(g, lab.VPNv4)
	}
	// One that is deleted takes nothing with it.
	w.ctl("delete neighbor mx1")
	w.associate()
	w.wantVPN(active, lab.VPNv4, web1)
	w.wantVPN(dialed, lab.VPNv4)
}

// TestReceivedRoutesNeverCompete: a gateway that announces our own route with a
// higher LOCAL_PREF must not make us withdraw ours from the others.
func TestReceivedRoutesNeverCompete(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	thief := w.peer("mx1", vpnFamilies)
	g := w.peer("mx2", vpnFamilies)
	r := w.recorder("rec")
	if _, err := r.WaitFor(w.deadline(), "+ "+web1); err != nil {
		t.Fatal(err)
	}
	updates := w.neighborState("mx1").Session.Received.Updates
	if _, err := thief.CLI(w.deadline(), "global", "rib", "add", "-a", "vpnv4", "203.0.113.5/32", "label", "999", "rd", "10.0.0.11:1",
		"rt", "64512:10003", "nexthop", "10.9.9.9", "local-pref", "500"); err != nil {
		t.Fatal(err)
	}
	w.eventually("Buoy receives the route", func(context.Context) error {
		if got := w.neighborState("mx1").Session.Received.Updates; got == updates {
			return fmt.Errorf("%d updates received", got)
		}
		return nil
	})

	// What comes next tells that the engine is through with it.
	w.ctl("allocate floatingip web-2 --network vn-public --address 203.0.113.6")
	w.ctl("associate floatingip web-2 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.248 --label 100")
	web2 := strings.Replace(web1, "203.0.113.5", "203.0.113.6", 1)
	if _, err := r.WaitFor(w.deadline(), "+ "+web2); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Events() {
		if s := e.String(); !e.EndOfRIB && s != "+ "+web1 && s != "+ "+web2 {
			t.Errorf("the recorder was sent %s", s)
		}
	}
	w.wantVPN(g, lab.VPNv4, web1, web2)
}

// TestFileNeighbors: neighbors of the configuration file work and are
// read-only.
func TestFileNeighbors(t *testing.T) {
	w := newWorld(t)
	config := w.gatewayConfig("mx1", allFamilies)
	w.buoyd = w.newBuoyd("with-neighbors", fmt.Sprintf("  - {name: mx1, address: %s, port: %d, as: 64512}\n", config.Addr.Addr(), config.Addr.Port()))
	config.Peer = w.net.Host(w.hosts)
	g := w.gateway(config)
	w.start()
	w.public()
	w.associate()
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)

	const readOnly = "buoyctl: neighbors/mx1 is defined in the configuration file; change it there and restart the daemon\n"
	w.refuses("delete neighbor mx1", 5, readOnly)
	w.refuses("set neighbor mx1 --families inet-vpn", 5, readOnly)
	w.refuses("create neighbor mx1 --address 127.0.0.99 --as 64512", 5, "buoyctl: neighbors/mx1 exists in the configuration file\n")
	w.refuses(fmt.Sprintf("create neighbor mx2 --address %s --as 64512", config.Addr.Addr()), 5,
		fmt.Sprintf("buoyctl: --address: %s is the address of neighbors/mx1\n", config.Addr.Addr()))
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
}

// refuses checks that buoyctl refuses a line with exactly this text.
func (w *world) refuses(line string, code int, stderr string) {
	w.t.Helper()
	r := w.try(line)
	if r.Code != code || r.Stderr != stderr || r.Stdout != "" {
		w.t.Errorf("buoyctl %s\n got %d %q, output %q\nwant %d %q", line, r.Code, r.Stderr, r.Stdout, code, stderr)
	}
}
