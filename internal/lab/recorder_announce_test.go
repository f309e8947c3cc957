package lab

import (
	"bytes"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/vrf"
)

// TestHostBits: they are announced as they are given.
func TestHostBits(t *testing.T) {
	msg, err := updateOf(originRoute(t, 9, "198.51.111.77/20", "10.0.0.9"))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := msg.Serialize(); err != nil || !bytes.Contains(data, []byte{198, 51, 111}) {
		t.Errorf("got %x, %v", data, err)
	}
}

// TestUpdateOf: what a recorder announces is what it would read.
func TestUpdateOf(t *testing.T) {
	full := originRoute(t, 7, "2001:db8:9::/48", "::ffff:10.0.0.9", "target:64512:8", "target:64512:9")
	full.LocalPref, full.Origin, full.ASPath, full.Encapsulations = 150, "igp", "[64513 64512]", []vrf.Encapsulation{vrf.GRE}
	plain := originRoute(t, 8, "0.0.0.0/0", "10.0.0.9", "target:64512:8")
	plain.Label = 0
	for _, tt := range []struct {
		route Route
		want  string
	}{
		{full, "+ " + full.String()},
		{plain, "+ 10.0.1.2:8:0.0.0.0/0 next-hop 10.0.0.9 local-pref 100 origin incomplete as-path [] target:64512:8"},
	} {
		msg, err := updateOf(tt.route)
		if err != nil {
			t.Fatal(err)
		}
		data, err := msg.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		read, err := bgp.ParseBGPMessage(data)
		if err != nil {
			t.Fatal(err)
		}
		events, err := eventsOf(read.Body.(*bgp.BGPUpdate))
		if err != nil || len(events) != 1 || events[0].String() != tt.want {
			t.Errorf("got %v, %v, want %s", events, err, tt.want)
		}
	}
}
