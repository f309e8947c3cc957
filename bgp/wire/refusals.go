package wire

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

const (
	logInterval = time.Minute // for each address
	maxLogged   = 1024        // addresses that are remembered
)

// refusals notes refused connections, and logs each address once in a while.
type refusals struct {
	logger *slog.Logger

	mu     sync.Mutex
	total  neighbor.Refused
	logged map[netip.Addr]time.Time
}

func (r *refusals) add(addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.total = neighbor.Refused{Count: r.total.Count + 1, Address: addr, Time: now}
	if last, ok := r.logged[addr]; ok && now.Sub(last) < logInterval {
		return
	}
	// Forgetting costs a few lines in the log, remembering costs memory.
	if r.logged == nil || len(r.logged) >= maxLogged {
		r.logged = map[netip.Addr]time.Time{}
	}
	r.logged[addr] = now
	r.logger.Info("connection refused: no neighbor has this address", "address", addr)
}

func (r *refusals) snapshot() neighbor.Refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
