package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/bits"
)

// The layout of a bbolt file, version 2, as bbolt's internal/common has it.
// bbolt writes in the byte order of the machine.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of an element: its value is a bucket

	pageHeaderSize   = 16
	elementSize      = 16
	bucketHeaderSize = 16
	rootSize         = pageHeaderSize + 64 // a page header and bbolt's meta

	noFreelist = ^uint64(0)
)

var native = binary.NativeEndian

// root is one of the two alternating headers of a bbolt file ("meta" in bbolt).
type root struct {
	pageSize uint32
	bucket   uint64 // the page of the root bucket
	freelist uint64
	pages    uint64 // every page in use has a lower number
	txid     uint64
}

func parseRoot(b []byte) (root, error) {
	m := b[pageHeaderSize:rootSize]
	if native.Uint32(m) != boltMagic || native.Uint32(m[4:]) != boltVersion {
		return root{}, errors.New("not a bbolt file")
	}
	sum := fnv.New64a()
	sum.Write(m[:56])
	if native.Uint64(m[56:]) != sum.Sum64() {
		return root{}, errors.New("wrong checksum")
	}
	r := root{
		pageSize: native.Uint32(m[8:]),
		bucket:   native.Uint64(m[16:]),
		freelist: native.Uint64(m[32:]),
		pages:    native.Uint64(m[40:]),
		txid:     native.Uint64(m[48:]),
	}
	if r.pageSize < 1024 || r.pageSize > 1<<24 || bits.OnesCount32(r.pageSize) != 1 {
		return root{}, fmt.Errorf("page size %d", r.pageSize)
	}
	return r, nil
}

// page is a page with its overflow pages. All its methods check the bounds.
type page []byte

func (p page) id() uint64       { return native.Uint64(p) }
func (p page) flags() uint16    { return native.Uint16(p[8:]) }
func (p page) count() int       { return int(native.Uint16(p[10:])) }
func (p page) overflow() uint64 { return uint64(native.Uint32(p[12:])) }

func (p page) element(i int) ([]byte, int, error) {
	at := pageHeaderSize + i*elementSize
	if at+elementSize > len(p) {
		return nil, 0, fmt.Errorf("page %d: element %d is outside", p.id(), i)
	}
	return p[at : at+elementSize], at, nil
}

func (p page) slice(at, pos, size uint64) ([]byte, error) {
	start := at + pos
	if start+size > uint64(len(p)) {
		return nil, fmt.Errorf("page %d: an element's data is outside", p.id())
	}
	return p[start : start+size], nil
}

// leafElement returns the element's flags, key and value.
func (p page) leafElement(i int) (flags uint32, key, value []byte, err error) {
	e, at, err := p.element(i)
	if err != nil {
		return 0, nil, nil, err
	}
	pos, ksize, vsize := uint64(native.Uint32(e[4:])), uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
	data, err := p.slice(uint64(at), pos, ksize+vsize)
	if err != nil {
		return 0, nil, nil, err
	}
	return native.Uint32(e), data[:ksize], data[ksize:], nil
}

// branchElement returns the lowest key of a child and the child's page.
func (p page) branchElement(i int) (key []byte, child uint64, err error) {
	e, at, err := p.element(i)
	if err != nil {
		return nil, 0, err
	}
	key, err = p.slice(uint64(at), uint64(native.Uint32(e)), uint64(native.Uint32(e[4:])))
	return key, native.Uint64(e[8:]), err
}

// freeIDs returns the numbers on a freelist page. bbolt keeps a count that does
// not fit into 16 bits in the first number.
func (p page) freeIDs() ([]uint64, error) {
	count, at := uint64(p.count()), pageHeaderSize
	if count == 0xFFFF {
		if len(p) < at+8 {
			return nil, errors.New("freelist: too short")
		}
		count, at = native.Uint64(p[at:]), at+8
	}
	if count > uint64(len(p)-at)/8 {
		return nil, fmt.Errorf("freelist: %d pages do not fit", count)
	}
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = native.Uint64(p[at+8*i:])
	}
	return ids, nil
}

// order checks that keys ascend.
type order struct{ last []byte }

func (o *order) next(key, low, high []byte) error {
	switch {
	case len(key) == 0:
		return errors.New("an empty key")
	case o.last != nil && bytes.Compare(key, o.last) <= 0,
		bytes.Compare(key, low) < 0,
		high != nil && bytes.Compare(key, high) >= 0:
		return fmt.Errorf("key %q is out of order", key)
	}
	o.last = key
	return nil
}
