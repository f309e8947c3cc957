package lab

import (
	"slices"
	"testing"
)

// TestUpdatesOfTShark: of two packets, one of which has three messages, the
// UPDATEs are left.
func TestUpdatesOfTShark(t *testing.T) {
	const text = `Frame 15: 198 bytes on wire (1584 bits) on interface lo, id 0
Transmission Control Protocol, Src Port: 44085, Dst Port: 17900, Seq: 106, Ack: 81, Len: 132
Border Gateway Protocol - KEEPALIVE Message
    Marker: ffffffffffffffffffffffffffffffff
    Length: 19
Border Gateway Protocol - UPDATE Message
    Marker: ffffffffffffffffffffffffffffffff
    Length: 132
        Path Attribute - ORIGIN: INCOMPLETE
            Flags: 0x40, Transitive, Well-known, Complete
                0... .... = Optional: Not set
                .... 0000 = Unused: 0x0
            Origin: INCOMPLETE (2)
Border Gateway Protocol - UPDATE Message
    Length: 45

Frame 16: 85 bytes on wire (680 bits) on interface lo, id 0
[2 Reassembled TCP Segments (45 bytes): #12(20), #16(25)]
Border Gateway Protocol - UPDATE Message
    Length: 57

`
	want := []string{
		`Border Gateway Protocol - UPDATE Message
    Length: 132
        Path Attribute - ORIGIN: INCOMPLETE
            Flags: 0x40, Transitive, Well-known, Complete
            Origin: INCOMPLETE (2)
`,
		"Border Gateway Protocol - UPDATE Message\n    Length: 45\n",
		"Border Gateway Protocol - UPDATE Message\n    Length: 57\n",
	}
	if got := updatesOfTShark(text); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
