package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
)

// format is the number of the layout that the package documentation shows.
const format = 1

// ErrFormat means that the store was written by a program that lays it out
// differently.
var ErrFormat = errors.New("unknown store format")

var (
	keysBucket = []byte("keys")
	metaBucket = []byte("meta")
	headerKey  = []byte("header")

	// What an older program does not know it leaves alone.
	notesBucket   = []byte("notes")
	notesKey      = []byte("notes")
	historyBucket = []byte("history")

	crcTable = crc64.MakeTable(crc64.ECMA)
)

const (
	versionSize = 8
	headerSize  = 5 * 8
)

// header describes the content of the keys bucket; one of the same form without a
// revision describes that of the notes bucket.
type header struct {
	revision uint64
	keys     uint64
	sum      uint64
}

// add counts a key and its stored value in.
func (h *header) add(key, stored []byte) {
	h.keys++
	h.sum += sumOf(key, stored)
}

// remove takes back what add has counted.
func (h *header) remove(key, stored []byte) {
	h.keys--
	h.sum -= sumOf(key, stored)
}

// sumOf covers the length of the key too, so that the border between key and
// value cannot move.
func sumOf(key, stored []byte) uint64 {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(key)))
	crc := crc64.Update(0, crcTable, length[:])
	crc = crc64.Update(crc, crcTable, key)
	return crc64.Update(crc, crcTable, stored)
}

func (h header) encode() []byte {
	b := make([]byte, 0, headerSize)
	for _, n := range []uint64{format, h.revision, h.keys, h.sum} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return appendSum(b)
}

func appendSum(b []byte) []byte {
	return binary.BigEndian.AppendUint64(b, crc64.Checksum(b, crcTable))
}

// decodeHeader relies on what every format keeps: the first eight bytes are the
// format, the last eight the checksum of all before. So a damaged format number
// is told from another format.
func decodeHeader(b []byte) (header, error) {
	if len(b) < 16 {
		return header{}, fmt.Errorf("the header has %d bytes", len(b))
	}
	end := len(b) - 8
	if binary.BigEndian.Uint64(b[end:]) != crc64.Checksum(b[:end], crcTable) {
		return header{}, errors.New("the header has a wrong checksum")
	}
	if got := binary.BigEndian.Uint64(b); got != format {
		return header{}, fmt.Errorf("%w: the store has format %d, this program reads format %d", ErrFormat, got, format)
	}
	if len(b) != headerSize {
		return header{}, fmt.Errorf("the header has %d bytes", len(b))
	}
	return header{
		revision: binary.BigEndian.Uint64(b[8:]),
		keys:     binary.BigEndian.Uint64(b[16:]),
		sum:      binary.BigEndian.Uint64(b[24:]),
	}, nil
}
