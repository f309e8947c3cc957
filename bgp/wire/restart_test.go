package wire

import (
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

// TestRestartCapabilities reads what GoBGP's codec writes, and has it read what
// we write.
func TestRestartCapabilities(t *testing.T) {
	written := []bgp.ParameterCapabilityInterface{
		bgp.NewCapGracefulRestart(true, true, 4095, []*bgp.CapGracefulRestartTuple{
			bgp.NewCapGracefulRestartTuple(bgp.RF_IPv4_VPN, true),
			bgp.NewCapGracefulRestartTuple(bgp.RF_EVPN, true),
			bgp.NewCapGracefulRestartTuple(bgp.RF_RTC_UC, false),
		}),
		bgp.NewCapLongLivedGracefulRestart([]*bgp.CapLongLivedGracefulRestartTuple{
			bgp.NewCapLongLivedGracefulRestartTuple(bgp.RF_IPv4_VPN, true, 1<<24-1),
		}),
	}
	want := neighbor.Restart{
		Restarting: true, Notification: true, Time: 4095 * time.Second,
		Families:  neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget),
		Preserved: neighbor.NewFamilies(neighbor.InetVPN),
		LongLived: neighbor.StaleTimes{neighbor.InetVPN: (1<<24 - 1) * time.Second},
	}
	for _, order := range [][]bgp.ParameterCapabilityInterface{written, {written[1], written[0]}} {
		msg, err := bgp.NewBGPOpenMessage(ourAS, 90, "10.0.0.1", []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(order)}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		m, r := readOpen(msg)
		if r != nil {
			t.Fatal(r.reason)
		}
		if m.Restart != want {
			t.Errorf("got %+v, want %+v", m.Restart, want)
		}
	}
	alone, _ := bgp.NewBGPOpenMessage(ourAS, 90, "10.0.0.1", []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(written[1:])}).Serialize()
	if m, _ := readOpen(alone); m.Restart != (neighbor.Restart{}) {
		t.Errorf("long-lived alone: %+v", m.Restart)
	}

	caps := appendRestart(nil, want)
	m, err := bgp.ParseBGPMessage(rawOpen(4, 90, ourAS, someID, join([]byte{byte(len(caps) + 2), 2, byte(len(caps))}, caps)...))
	if err != nil {
		t.Fatal(err)
	}
	parsed := m.Body.(*bgp.BGPOpen).OptParams[0].(*bgp.OptionParameterCapability).Capability
	gr, ll := parsed[0].(*bgp.CapGracefulRestart), parsed[1].(*bgp.CapLongLivedGracefulRestart)
	if gr.Flags != 0xc || gr.Time != 4095 || len(gr.Tuples) != 2 || gr.Tuples[0].Flags != 0x80 || gr.Tuples[1].Flags != 0 {
		t.Errorf("GoBGP reads %+v", gr)
	}
	if len(ll.Tuples) != 1 || ll.Tuples[0].RestartTime != 1<<24-1 || ll.Tuples[0].SAFI != 128 {
		t.Errorf("GoBGP reads %+v", ll)
	}
	if b := appendRestart(nil, neighbor.Restart{Time: time.Second}); b != nil {
		t.Errorf("without a family: %x", b)
	}
}
