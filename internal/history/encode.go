package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// encoding is the number of the form that Encode writes.
const encoding = 1

var table = crc32.MakeTable(crc32.Castagnoli)

// ErrEncoding means that a later version of the program has written an event.
var ErrEncoding = errors.New("the event is of a form that this program does not know")

var errDamaged = errors.New("the event is damaged")

// Encode appends an event without its sequence, which the checksum covers.
func (e *Event) Encode(b []byte) []byte {
	begin := len(b)
	b = append(b, encoding, byte(e.Kind))
	b = binary.AppendVarint(b, e.Time.UnixNano())
	b = binary.AppendUvarint(b, uint64(e.Count))
	for _, text := range e.texts() {
		b = appendText(b, *text)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Names)))
	for _, name := range e.Names {
		b = appendText(b, name)
	}
	return binary.BigEndian.AppendUint32(b, sum(e.Sequence, b[begin:]))
}

// texts are the fields that are texts, in the order in which they are written.
func (e *Event) texts() [10]*string {
	return [...]*string{&e.Subject, &e.Part, &e.Address, &e.Who, &e.Agent, &e.Project, &e.Method, &e.Before, &e.After, &e.Reason}
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func sum(sequence uint64, b []byte) uint32 {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], sequence)
	return crc32.Update(crc32.Checksum(number[:], table), table, b)
}

// Decode reads what Encode has written for a sequence. It keeps nothing of the bytes.
func Decode(sequence uint64, b []byte) (Event, error) {
	e := Event{Sequence: sequence}
	end := len(b) - 4
	if end < 2 || binary.BigEndian.Uint32(b[end:]) != sum(sequence, b[:end]) {
		return e, fmt.Errorf("event %d: %w", sequence, errDamaged)
	}
	if b[0] != encoding {
		return e, fmt.Errorf("event %d: %w: %d", sequence, ErrEncoding, b[0])
	}
	r := reader{b: b[2:end]}
	e.Kind = Kind(b[1])
	e.Time = time.Unix(0, r.varint()).UTC()
	e.Count = uint32(r.uvarint())
	for _, text := range e.texts() {
		*text = r.text()
	}
	if n := r.uvarint(); n > 0 && n <= uint64(len(r.b)) {
		e.Names = make([]string, n)
		for i := range e.Names {
			e.Names[i] = r.text()
		}
	} else if n > 0 {
		r.bad = true
	}
	if r.bad || len(r.b) > 0 {
		return Event{Sequence: sequence}, fmt.Errorf("event %d: %w", sequence, errDamaged)
	}
	return e, nil
}

// reader reads the parts of an event. After a bad one it reads nothing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) skip(n int) bool {
	if n <= 0 || n > len(r.b) {
		r.b, r.bad = nil, true
		return false
	}
	r.b = r.b[n:]
	return true
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n == 0 || r.bad {
		return ""
	}
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return ""
	}
	text := string(r.b[:n])
	r.b = r.b[n:]
	return text
}
