package contract

import (
	"fmt"
	"net"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// hostile: whatever a neighbor sends, before or after its OPEN, the others keep
// their sessions and their routes, and it can come back.
func hostile(w *world) {
	w.advertise(web4)
	behaves := w.peer(vpn...)
	behaves.told(plus(web4))
	behaves.toldEnds()
	c := w.config(vpn...)
	c.Active = true
	w.tell(behaves.settings, settingsOf(c))
	open, err := lab.OpenMessage(c).Serialize()
	w.must(err)
	keepalive, err := bgp.NewBGPKeepAliveMessage().Serialize()
	w.must(err)
	raw := func(typ byte, body ...byte) []byte {
		header := append([]byte{}, keepalive[:16]...)
		n := len(header) + 3 + len(body)
		return append(append(header, byte(n>>8), byte(n), typ), body...)
	}
	session := append(append([]byte{}, open...), keepalive...)
	for _, tt := range []struct {
		name    string
		session bool
		bytes   []byte
		want    string // NOTIFICATION
	}{
		{"an unknown type", false, raw(0xff), "1/3"},
		{"an unknown type", true, raw(0xff), "1/3"},
		{"no BGP", false, []byte("GET / HTTP/1.1\r\nHost: buoy\r\n\r\n"), "1/1"},
		{"a length of nothing", true, append(append([]byte{}, keepalive[:16]...), 0, 0, 2), "1/2"},
		{"a length beyond all", true, append(append([]byte{}, keepalive[:16]...), 0xff, 0xff, 4), "1/2"},
		{"a second OPEN", true, open, "5/3"},
		{"UPDATE lengths that do not fit", true, raw(2, 0xff, 0xff, 0, 0), "3/1"},
		{"a VPN prefix that ends after its label", true, raw(2, 0, 0, 0, 10, 0x80, 15, 7, 0, 1, 128, 0x18, 0x80, 0, 0), "3/0"},
	} {
		conn, err := lab.DialAs(w.Context(), c.Addr.Addr(), c.Peer)
		w.must(err)
		conn.SetDeadline(time.Now().Add(patience))
		if tt.session {
			_, err := conn.Write(session)
			w.must(err)
			w.await(w, settingsOf(c).Name, "a session", isEstablished)
		}
		_, err = conn.Write(tt.bytes)
		w.must(err)
		if got := notificationOn(conn); got != tt.want {
			w.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		conn.Close()
		w.await(w, settingsOf(c).Name, "the end", func(s neighbor.Status) bool { return !isEstablished(s) })
	}
	after := w.record(c)
	after.await("a session after all", isEstablished)
	after.told(plus(web4))
	behaves.await("its first session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 1 })
	w.advertise(web6)
	behaves.told(plus(web6))
}

// notificationOn reads to the end and returns the NOTIFICATION before it.
func notificationOn(conn net.Conn) string {
	for {
		msg, err := lab.ReadMessage(conn)
		if err != nil {
			return err.Error()
		}
		if n, ok := msg.Body.(*bgp.BGPNotification); ok {
			return fmt.Sprintf("%d/%d", n.ErrorCode, n.ErrorSubcode)
		}
	}
}

// malformed: an UPDATE that RFC 7606 does not end the session for is counted
// and kept, and the session goes on.
func malformed(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	const noSuchOrigin = 9
	r.announces(noSuchOrigin, 100, 100, "198.51.100.1")
	s := r.await("it to be counted", func(s neighbor.Status) bool { return s.Received.Malformed == 1 })
	if !isEstablished(s) || len(s.BadMessages) != 1 || s.BadMessages[0].Reason == "" || len(s.BadMessages[0].Bytes) < 23 {
		w.Errorf("it is seen as %+v", s)
	}
	w.nothingElse(r)
}
