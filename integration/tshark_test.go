package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestWire: what is on the wire is what was meant, byte for byte, as a reader
// has it that shares no code with Buoy.
func TestWire(t *testing.T) {
	w := newWire(t)
	w.ctl("create computenode cmp6 --address 2001:db8:1::11 --router-id 10.0.0.12 --encapsulation udp")
	w.neighbor("mx1", w.gateway(w.config).Config())
	w.sends("there is nothing: End-of-RIB", 2)
	const associate1 = "associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249"
	const associate6 = "associate floatingip web-6 --interface tap6 --fixed-ip fd00::5"
	for _, step := range []struct{ title, command string }{
		{"an IPv4 route", associate1 + " --label 100"},
		{"the IPv4 route while its compute node drains", "drain computenode cmp1 --wait 1h"},
		{"and back in service", "undrain computenode cmp1"},
		{"an IPv6 route with an IPv4 next hop", associate6 + " --computenode cmp1 --label 16"},
		{"beside it one with an IPv6 next hop, preferred, with the highest label", associate6 + " --computenode cmp6 --label 1048575 --preferred"},
		{"the first is withdrawn", "disassociate floatingip web-6 --computenode cmp1"},
		{"the second is withdrawn", "disassociate floatingip web-6"},
		{"the IPv4 route with other targets, one of each form", "set network vn-public --route-target target:64512:10004,target:10.0.0.1:7,target:4200000000:9"},
		{"with one encapsulation less", "set computenode cmp1 --encapsulation gre"},
		{"with another next hop", "set computenode cmp1 --address 10.0.0.99"},
		{"withdrawn", "disassociate floatingip web-1"},
		{"with another label", associate1 + " --label 101"},
	} {
		w.ctl(step.command)
		w.sends(step.title, 1)
	}
	w.ctl("set computenode cmp1 --router-id 10.0.0.98")
	w.sends("with another distinguisher; then the old route is withdrawn", 2)
	w.reads("tshark/internal.txt")
}

// TestWireExternal: to another AS goes an AS path and no LOCAL_PREF.
func TestWireExternal(t *testing.T) {
	w := newWire(t)
	w.associate()
	w.config.AS = 4200000001
	w.neighbor("mx1", w.gateway(w.config).Config())
	w.sends("an IPv4 route, then End-of-RIB", 3)
	w.ctl("drain computenode cmp1 --wait 1h")
	w.sends("while its compute node drains", 1)
	w.ctl("disassociate floatingip web-1")
	w.sends("withdrawn", 1)
	w.reads("tshark/external.txt")
}

// wire is a world with a gateway, mx1, and a record of what it is sent.
type wire struct {
	*world
	config  lab.GatewayConfig
	capture *lab.Capture
	sent    map[int]string // titles by the number of UPDATEs before them
	updates int
}

// newWire returns one in which Buoy has what public makes, and in which the
// gateway does not run yet: so its session is recorded from the beginning.
func newWire(t *testing.T) *wire {
	needs(t, "tshark")
	needsRoot(t)
	w := &wire{world: newWorld(t), sent: map[int]string{}}
	w.start()
	w.public()
	w.config = w.gatewayConfig("mx1", vpnFamilies)
	capture, err := lab.StartCapture(w.deadline(), w.folder("capture"), w.net)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := capture.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.capture = capture
	return w
}

// needsRoot skips the test if it is not run by root; in CI it fails.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		cannot(t, "not run by root")
	}
}

// sends waits until the gateway was sent so many more UPDATEs, and gives them a
// title. Without the wait the next change could take the place of this one.
func (w *wire) sends(title string, count int) {
	w.t.Helper()
	w.eventually(title, func(context.Context) error {
		var n struct {
			Session struct {
				Sent struct {
					Updates int `json:",string"`
				}
			}
		}
		if err := json.Unmarshal([]byte(w.ctl("get neighbors mx1 -o json")), &n); err != nil {
			return err
		}
		if more := n.Session.Sent.Updates - w.updates; more != count {
			return fmt.Errorf("%d UPDATEs instead of %d", more, count)
		}
		return nil
	})
	w.sent[w.updates] = title
	w.updates += count
}

// reads compares the UPDATEs, as tshark explains them, with a file.
func (w *wire) reads(name string) {
	w.t.Helper()
	var text strings.Builder
	w.eventually("all UPDATEs are in the capture", func(ctx context.Context) error {
		updates, err := w.capture.Updates(ctx, w.config.Peer.Addr(), w.config.Addr.Addr())
		if err != nil {
			return err
		}
		if len(updates) != w.updates {
			return fmt.Errorf("%d of %d", len(updates), w.updates)
		}
		for i, update := range updates {
			if title := w.sent[i]; title != "" {
				fmt.Fprintf(&text, "# %s\n", title)
			}
			fmt.Fprintln(&text, update)
		}
		return nil
	})
	w.golden(name, func(context.Context) (string, error) { return text.String(), nil })
}
