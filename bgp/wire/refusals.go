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

// add reports whether the address is not the one that was refused lately.
func (r *refusals) add(addr netip.Addr) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	news = addr != r.total.Address || now.Sub(r.total.Time) >= strangerTime
	r.total = neighbor.Refused{Count: r.total.Count + 1, Address: addr, Time: now}
	if last, ok := r.logged[addr]; ok && now.Sub(last) < logInterval {
		return news
	}
	// Forgetting costs a few lines in the log, remembering costs memory.
	if r.logged == nil || len(r.logged) >= maxLogged {
		r.logged = map[netip.Addr]time.Time{}
	}
	r.logged[addr] = now
	r.logger.Info("connection refused: no neighbor has this address", "address", addr)
	return news
}

func (r *refusals) snapshot() neighbor.Refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
