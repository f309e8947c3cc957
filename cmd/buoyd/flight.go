package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// flight is memory that the supervisor shares with the daemon and that outlives
// a crash: which neighbor's message the BGP engine was given last, and when; and
// when the daemon was last alive. To die may take it a while: it says why.
type flight struct {
	file *os.File

	mu     sync.Mutex
	memory []byte // an address, and two times in Unix nanoseconds
}

// Where flight.memory has what.
const (
	flightTime  = 16
	flightAlive = flightTime + 8
	flightSize  = flightAlive + 8
)

// alive is how often it is noted that the daemon lives.
const alive = 20 * time.Millisecond

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
	f.put(flightTime, time.Now())
}

// run notes that the daemon lives, until the context ends.
func (f *flight) run(ctx context.Context) error {
	tick := time.NewTicker(alive)
	defer tick.Stop()
	for {
		f.mu.Lock()
		f.put(flightAlive, time.Now())
		f.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// last returns the neighbor that was noted last, and how long before the daemon
// was last alive.
func (f *flight) last() (addr netip.Addr, before time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return netip.AddrFrom16([16]byte(f.memory)).Unmap(), f.get(flightAlive).Sub(f.get(flightTime))
}

// clear forgets what was noted.
func (f *flight) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.memory)
}

// put and get are for a caller that holds mu.
func (f *flight) put(offset int, t time.Time) {
	binary.LittleEndian.PutUint64(f.memory[offset:], uint64(t.UnixNano()))
}

func (f *flight) get(offset int) time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(f.memory[offset:])))
}
