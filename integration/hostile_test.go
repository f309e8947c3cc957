package integration

import (
	"encoding/hex"
	"io"
	"net"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
)

// unknownMessage is 19 bytes of the type 0xff. GoBGP dies of it, even before
// OPEN.
var unknownMessage, _ = hex.DecodeString("ffffffffffffffffffffffffffffffff0013ff")

// TestUnknownMessage: a message of an unknown type is answered as RFC 4271 §6.1
// says, and neither the daemon nor other sessions suffer.
func TestUnknownMessage(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	hostile := w.gatewayConfig("mx2", vpnFamilies)
	hostile.Active = true
	w.ctl("create neighbor mx2 --address " + hostile.Addr.Addr().String() + " --as 64512 --passive")
	before := w.neighborState("mx1").Session

	for _, when := range []string{"before OPEN", "after OPEN", "when established"} {
		conn := w.dialAs(hostile)
		if when != "before OPEN" {
			w.send(conn, lab.OpenMessage(hostile))
		}
		if when == "when established" {
			w.expect(conn, bgp.BGP_MSG_OPEN)
			w.send(conn, bgp.NewBGPKeepAliveMessage())
			w.expect(conn, bgp.BGP_MSG_KEEPALIVE)
			w.established("mx2")
		}
		if _, err := conn.Write(unknownMessage); err != nil {
			t.Fatal(err)
		}
		n := w.expect(conn, bgp.BGP_MSG_NOTIFICATION).Body.(*bgp.BGPNotification)
		if n.ErrorCode != 1 || n.ErrorSubcode != 3 || len(n.Data) != 1 || n.Data[0] != 0xff {
			t.Errorf("%s: got NOTIFICATION %d/%d %x, want 1/3 ff", when, n.ErrorCode, n.ErrorSubcode, n.Data)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection is not closed after the NOTIFICATION: %v", when, err)
		}
	}

	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	if after := w.neighborState("mx1").Session; after.Since != before.Since || after.EstablishedCount != before.EstablishedCount {
		t.Errorf("the session of mx1 was %v and is %v", before, after)
	}
	// The neighbor itself may come back, and behave.
	w.gateway(hostile)
	w.established("mx2")
}

// TestStranger: a connection from an address that no neighbor has is closed
// without a word.
func TestStranger(t *testing.T) {
	w := newWorld(t)
	w.start()
	conn := w.dialAs(w.gatewayConfig("stranger", vpnFamilies))
	if data, err := io.ReadAll(conn); len(data) > 0 || err != nil {
		t.Errorf("got %x, %v; want the end of the connection", data, err)
	}
	w.ctl("get neighbors")
}

func (w *world) dialAs(config lab.GatewayConfig) net.Conn {
	w.t.Helper()
	conn, err := lab.DialAs(w.deadline(), config.Addr.Addr(), config.Peer)
	if err != nil {
		w.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

func (w *world) send(conn net.Conn, msg *bgp.BGPMessage) {
	w.t.Helper()
	if err := lab.SendMessage(conn, msg); err != nil {
		w.t.Fatal(err)
	}
}

// expect reads until a message of a type.
func (w *world) expect(conn net.Conn, typ uint8) *bgp.BGPMessage {
	w.t.Helper()
	for {
		msg, err := lab.ReadMessage(conn)
		if err != nil {
			w.t.Fatalf("wait for a message of type %d: %v", typ, err)
		}
		if msg.Header.Type == typ {
			return msg
		}
	}
}
