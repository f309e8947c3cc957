package neighbor

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNotificationString(t *testing.T) {
	for _, tt := range []struct {
		n    Notification
		want string
	}{
		{Notification{Code: 6, Subcode: 9}, "6/9 Cease, Hard Reset"},
		{Notification{Code: 6, Subcode: 9, Data: []byte{6, 2, 3, 'b', 'y', 'e'}}, `6/9 Cease, Hard Reset, with 6/2 Cease, Administrative Shutdown: "bye"`},
		{Notification{Code: 6, Subcode: 9, Data: []byte{6, 9, 6, 2}}, "6/9 Cease, Hard Reset"},
		{Notification{Code: 1, Subcode: 1}, "1/1 Message Header Error, Connection Not Synchronized"},
		{Notification{Code: 1, Subcode: 2}, "1/2 Message Header Error, Bad Message Length"},
		{Notification{Code: 1, Subcode: 3, Data: []byte{6}}, "1/3 Message Header Error, Bad Message Type"},
		{Notification{Code: 2}, "2/0 OPEN Message Error"},
		{Notification{Code: 2, Subcode: 1, Data: []byte{0, 4}}, "2/1 OPEN Message Error, Unsupported Version Number"},
		{Notification{Code: 2, Subcode: 2}, "2/2 OPEN Message Error, Bad Peer AS"},
		{Notification{Code: 2, Subcode: 3}, "2/3 OPEN Message Error, Bad BGP Identifier"},
		{Notification{Code: 2, Subcode: 4}, "2/4 OPEN Message Error, Unsupported Optional Parameter"},
		{Notification{Code: 2, Subcode: 6}, "2/6 OPEN Message Error, Unacceptable Hold Time"},
		{Notification{Code: 2, Subcode: 7}, "2/7 OPEN Message Error, Unsupported Capability"},
		{Notification{Code: 2, Subcode: 11}, "2/11 OPEN Message Error, Role Mismatch"},
		{Notification{Code: 3, Subcode: 1}, "3/1 UPDATE Message Error, Malformed Attribute List"},
		{Notification{Code: 3, Subcode: 2}, "3/2 UPDATE Message Error, Unrecognized Well-known Attribute"},
		{Notification{Code: 3, Subcode: 3}, "3/3 UPDATE Message Error, Missing Well-known Attribute"},
		{Notification{Code: 3, Subcode: 4}, "3/4 UPDATE Message Error, Attribute Flags Error"},
		{Notification{Code: 3, Subcode: 5}, "3/5 UPDATE Message Error, Attribute Length Error"},
		{Notification{Code: 3, Subcode: 6}, "3/6 UPDATE Message Error, Invalid ORIGIN Attribute"},
		{Notification{Code: 3, Subcode: 8}, "3/8 UPDATE Message Error, Invalid NEXT_HOP Attribute"},
		{Notification{Code: 3, Subcode: 9}, "3/9 UPDATE Message Error, Optional Attribute Error"},
		{Notification{Code: 3, Subcode: 10}, "3/10 UPDATE Message Error, Invalid Network Field"},
		{Notification{Code: 3, Subcode: 11}, "3/11 UPDATE Message Error, Malformed AS_PATH"},
		{Notification{Code: 4}, "4/0 Hold Timer Expired"},
		{Notification{Code: 5}, "5/0 Finite State Machine Error"},
		{Notification{Code: 5, Subcode: 1}, "5/1 Finite State Machine Error, Unexpected Message in OpenSent"},
		{Notification{Code: 5, Subcode: 2}, "5/2 Finite State Machine Error, Unexpected Message in OpenConfirm"},
		{Notification{Code: 5, Subcode: 3}, "5/3 Finite State Machine Error, Unexpected Message in Established"},
		{Notification{Code: 6, Subcode: 1}, "6/1 Cease, Maximum Number of Prefixes Reached"},
		{Notification{Code: 6, Subcode: 2}, "6/2 Cease, Administrative Shutdown"},
		{Notification{Code: 6, Subcode: 3}, "6/3 Cease, Peer De-configured"},
		{Notification{Code: 6, Subcode: 4}, "6/4 Cease, Administrative Reset"},
		{Notification{Code: 6, Subcode: 5}, "6/5 Cease, Connection Rejected"},
		{Notification{Code: 6, Subcode: 6}, "6/6 Cease, Other Configuration Change"},
		{Notification{Code: 6, Subcode: 7}, "6/7 Cease, Connection Collision Resolution"},
		{Notification{Code: 6, Subcode: 8}, "6/8 Cease, Out of Resources"},
		{Notification{Code: 6, Subcode: 9}, "6/9 Cease, Hard Reset"},
		{Notification{Code: 6, Subcode: 10}, "6/10 Cease, BFD Down"},
		{Notification{Code: 7, Subcode: 1}, "7/1 ROUTE-REFRESH Message Error, Invalid Message Length"},
		{Notification{Code: 8}, "8/0 Send Hold Timer Expired"},
		// What is not registered is told by number.
		{Notification{}, "0/0"},
		{Notification{Code: 9, Subcode: 1}, "9/1"},
		{Notification{Code: 255, Subcode: 255}, "255/255"},
		{Notification{Code: 6, Subcode: 99}, "6/99 Cease"},
		{Notification{Code: 3, Subcode: 7}, "3/7 UPDATE Message Error"},
	} {
		if got := tt.n.String(); got != tt.want {
			t.Errorf("%d/%d:\n got %s\nwant %s", tt.n.Code, tt.n.Subcode, got, tt.want)
		}
	}
}

// TestCommunication reads the text of RFC 9003, and gets none from what is
// malformed.
func TestCommunication(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, tt := range []struct {
		name          string
		code, subcode uint8
		data          string
		want          string
	}{
		{"shutdown", 6, 2, "\x0bmaintenance", "maintenance"},
		{"reset", 6, 4, "\x05reset", "reset"},
		{"UTF-8", 6, 2, "\x07bücken", "bücken"}, // octets, not characters, are counted
		{"longest", 6, 2, "\xff" + long, long},
		{"junk behind", 6, 2, "\x03abcdef", "abc"},
		{"empty", 6, 2, "\x00", ""},
		{"empty, junk behind", 6, 2, "\x00abc", ""},
		{"no data", 6, 2, "", ""},
		{"length beyond the data", 6, 2, "\x04abc", ""},
		{"only a length", 6, 2, "\xff", ""},
		{"not UTF-8", 6, 2, "\x02\xff\xfe", ""},
		{"a rune cut in two", 6, 2, "\x01ü", ""},
		{"another subcode", 6, 3, "\x03abc", ""},
		{"another code", 2, 2, "\x03abc", ""},
	} {
		n := Notification{Code: tt.code, Subcode: tt.subcode, Data: []byte(tt.data)}
		if got := n.Communication(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	n := Notification{Code: 6, Subcode: 2, Data: []byte("\x0ebye\n\"\x1b[31m\u202e!")}
	if got, want := n.String(), `6/2 Cease, Administrative Shutdown: "bye\n\"\x1b[31m\u202e!"`; got != want {
		t.Errorf("control characters:\n got %s\nwant %s", got, want)
	}
}

// FuzzNotificationString lets a neighbor send anything: the text stays one
// line that a terminal and a log can show.
func FuzzNotificationString(f *testing.F) {
	f.Add(uint8(6), uint8(2), []byte("\x0bmaintenance"))
	f.Add(uint8(6), uint8(4), []byte("\xff\x00"))
	f.Add(uint8(1), uint8(3), []byte{6})
	f.Add(uint8(255), uint8(255), []byte(nil))
	f.Fuzz(func(t *testing.T, code, subcode uint8, data []byte) {
		n := Notification{Code: code, Subcode: subcode, Data: data}
		text := n.String()
		if !utf8.ValidString(text) {
			t.Fatalf("%q is not UTF-8", text)
		}
		for _, r := range text {
			if r < ' ' || r == 0x7f {
				t.Fatalf("%q has control characters", text)
			}
		}
		message := n.Communication()
		if len(message) > 255 || message != "" && (code != 6 || subcode != 2 && subcode != 4) {
			t.Fatalf("%d/%d with %x: communication %q", code, subcode, data, message)
		}
		if has := strings.Contains(text, `: "`); has != (message != "") {
			t.Fatalf("%s: communication %q", text, message)
		}
	})
}
