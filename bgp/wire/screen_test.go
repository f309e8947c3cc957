package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func header(length uint16, typ byte) []byte {
	h := message(typ)
	h[16], h[17] = byte(length>>8), byte(length)
	return h
}

func TestScreen(t *testing.T) {
	badMarker := message(typeKeepalive)
	badMarker[7] = 0
	for _, tt := range []struct {
		name          string
		header        []byte
		code, subcode byte // 0: passes
		data          []byte
	}{
		{"keepalive", header(19, typeKeepalive), 0, 0, nil},
		{"open", header(29, typeOpen), 0, 0, nil},
		{"update", header(23, typeUpdate), 0, 0, nil},
		{"longest update", header(4096, typeUpdate), 0, 0, nil},
		{"notification", header(21, typeNotification), 0, 0, nil},
		{"route refresh", header(23, typeRouteRefresh), 0, 0, nil},
		{"marker", badMarker, 1, 1, nil},
		{"shorter than a header", header(18, typeKeepalive), 1, 2, []byte{0, 18}},
		{"no length", header(0, typeKeepalive), 1, 2, []byte{0, 0}},
		{"too long", header(4097, typeUpdate), 1, 2, []byte{0x10, 1}},
		{"far too long", header(65535, typeUpdate), 1, 2, []byte{0xff, 0xff}},
		{"short open", header(28, typeOpen), 1, 2, []byte{0, 28}},
		{"short update", header(22, typeUpdate), 1, 2, []byte{0, 22}},
		{"short notification", header(20, typeNotification), 1, 2, []byte{0, 20}},
		{"long keepalive", header(20, typeKeepalive), 1, 2, []byte{0, 20}},
		{"short route refresh", header(22, typeRouteRefresh), 1, 2, []byte{0, 22}},
		{"type 0", header(19, 0), 1, 3, []byte{0}},
		{"type 6", header(19, 6), 1, 3, []byte{6}},
		{"type 255", header(19, 0xff), 1, 3, []byte{0xff}},
	} {
		r := screen(tt.header, maxLength)
		switch {
		case r == nil && tt.code == 0:
		case r == nil || r.code != tt.code || r.subcode != tt.subcode || !bytes.Equal(r.data, tt.data):
			t.Errorf("%s: got %+v, want %d/%d %x", tt.name, r, tt.code, tt.subcode, tt.data)
		}
	}
}

// TestExtendedMessages: longer messages pass once both sides offered them, but
// no longer OPEN or KEEPALIVE (RFC 8654 §4).
func TestExtendedMessages(t *testing.T) {
	for _, typ := range []byte{typeUpdate, typeNotification, typeRouteRefresh} {
		if r := screen(header(maxExtended, typ), maxExtended); r != nil {
			t.Errorf("type %d: %v", typ, r)
		}
	}
	for _, typ := range []byte{typeOpen, typeKeepalive} {
		if r := screen(header(maxLength+1, typ), maxExtended); r == nil || r.subcode != 2 {
			t.Errorf("type %d: %v", typ, r)
		}
	}
}

func FuzzScreen(f *testing.F) {
	f.Add(message(typeKeepalive))
	f.Add(header(19, 0xff))
	f.Add(header(4097, typeUpdate))
	f.Add(append(openOf(ourAS, "10.0.0.1"), message(typeKeepalive)...))
	f.Add(append(message(typeUpdate, 0, 0, 0, 0), message(typeRouteRefresh, 0, 1, 0, 128)...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := newMessageReader(bytes.NewReader(stream))
		var passed []byte
		for {
			msg, err := r.next()
			if err != nil {
				var refused *refusal
				if !errors.As(err, &refused) && err != io.EOF && err != io.ErrUnexpectedEOF {
					t.Fatalf("unexpected error %v", err)
				}
				break
			}
			passed = append(passed, msg...)
			if typ := msg[18]; typ < 1 || typ > 5 || len(msg) < lengths[typ].min || len(msg) > lengths[typ].max {
				t.Fatalf("passed %x", msg)
			}
		}
		if !bytes.HasPrefix(stream, passed) {
			t.Fatalf("passed %x of %x", passed, stream)
		}
	})
}
