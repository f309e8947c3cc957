package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// flight is memory that the supervisor shares with the daemon and that outlives
// a crash: which neighbor's message the BGP engine was given last, and when.
type flight struct {
	file *os.File

	mu     sync.Mutex
	memory []byte // an address, and a time in Unix nanoseconds
}

// flightSize holds an address of 16 octets and a time of 8.
const flightSize = 24

// newFlight returns memory that nobody has written to.
func newFlight() (*flight, error) {
	fd, err := unix.MemfdCreate("buoyd", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("share memory with the daemon: %w", err)
	}
	if err := unix.Ftruncate(fd, flightSize); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("share memory with the daemon: %w", err)
	}
	return openFlight(uintptr(fd))
}

// openFlight returns the memory behind a file descriptor.
func openFlight(fd uintptr) (*flight, error) {
	memory, err := unix.Mmap(int(fd), 0, flightSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("share memory with the supervisor: %w", err)
	}
	return &flight{file: os.NewFile(fd, "flight"), memory: memory}, nil
}

// note is called before a message of a neighbor goes to the engine.
func (f *flight) note(addr netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := addr.As16()
	copy(f.memory, a[:])
	binary.LittleEndian.PutUint64(f.memory[16:], uint64(time.Now().UnixNano()))
}

// last returns what was noted last.
func (f *flight) last() (addr netip.Addr, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return netip.AddrFrom16([16]byte(f.memory)).Unmap(), time.Unix(0, int64(binary.LittleEndian.Uint64(f.memory[16:])))
}
