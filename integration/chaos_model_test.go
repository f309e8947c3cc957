package integration

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/api/client"
)

// tenancy is what must come of each request for an address: it knows the pools, who
// may draw from them, and how many addresses somebody has. Requests overlap, so it
// keeps for each of them what has been so while it was under way; between two
// answers that are both right it does not choose.
type tenancy struct {
	mu    sync.Mutex
	pools []*drawn
	open  map[*draw]struct{} // requests under way
}

// drawn is a pool.
type drawn struct {
	name    string
	size    int
	shared  []string // with whom, as it was answered last
	next    []string // as it will be, once that is answered
	changes bool     // next is on its way
	sure    int      // addresses that are somebody's: no release of them has begun
	most    int      // and those that may be
}

// draw is a request for addresses of a pool.
type draw struct {
	*drawn
	project string
	count   int
	may     [2]bool // the project was allowed to draw, and was not, at some time
	worst   int     // addresses that others may have had at the worst time
}

func projectOf(name string) string { return strings.Split(name, "/")[1] }

func allows(pool string, shared []string, project string) bool {
	return projectOf(pool) == project || slices.Contains(shared, project) || slices.Contains(shared, "*")
}

func (m *tenancy) pool(name string) *drawn {
	for _, p := range m.pools {
		if p.name == name {
			return p
		}
	}
	return nil
}

// begin notes a request for a number of addresses; 0 asks only whether the pool is there.
func (m *tenancy) begin(p *drawn, project string, count int) *draw {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := &draw{drawn: p, project: project, count: count}
	d.note(p.shared)
	if p.changes {
		d.note(p.next)
	}
	p.most += count
	m.open[d] = struct{}{}
	for other := range m.open {
		if other.drawn == p {
			other.worst = max(other.worst, p.most-other.count)
		}
	}
	return d
}

func (d *draw) note(shared []string) {
	if allows(d.name, shared, d.project) {
		d.may[0] = true
	} else {
		d.may[1] = true
	}
}

// end notes what has come of a request. It returns what is wrong about that. With a binding
// it was not the request that named the pool.
func (m *tenancy) end(d *draw, binding bool, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, d)
	if err != nil {
		d.drawn.most -= d.count
	} else {
		d.sure += d.count
	}
	code, reason := codes.PermissionDenied, "POOL_NOT_SHARED"
	if binding {
		code, reason = codes.FailedPrecondition, "BOUND_POOL_UNUSABLE"
	}
	switch {
	case err == nil && !d.may[0]:
		return fmt.Errorf("%s has an address of %s, which was not shared with it", d.project, d.name)
	case err == nil && d.sure > d.size:
		return fmt.Errorf("%d addresses of %s are somebody's, and it has %d", d.sure, d.name, d.size)
	case err == nil:
		return nil
	case status.Code(err) == codes.ResourceExhausted && (!d.may[0] || d.worst+d.count <= d.size):
		return fmt.Errorf("%s: %w, when others had %d of %d at most", d.project, err, d.worst, d.size)
	case status.Code(err) == codes.ResourceExhausted:
		return nil
	case status.Code(err) == code && client.Reason(err) == reason && d.may[1]:
		return nil
	default:
		return fmt.Errorf("%s draws from %s, allowed %t, not allowed %t: %w", d.project, d.name, d.may[0], d.may[1], err)
	}
}

// look ends a request that drew nothing, and reports whether the pool may have been there
// for the project, and may not.
func (m *tenancy) look(d *draw) (there, missing bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, d)
	return d.may[0], d.may[1]
}

// releases notes that addresses of a pool are about to be released, and released that
// they are.
func (m *tenancy) releases(pool string, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pool(pool).sure -= count
}

func (m *tenancy) released(pool string, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pool(pool).most -= count
}

// shares notes that a pool is about to be shared with others, and shared that it is.
func (m *tenancy) shares(p *drawn, with []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.next, p.changes = with, true
	for d := range m.open {
		if d.drawn == p {
			d.note(with)
		}
	}
}

func (m *tenancy) isShared(p *drawn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.shared, p.changes = p.next, false
}

// settled returns what is wrong when nothing is under way.
func (m *tenancy) settled() (err error) {
	for _, p := range m.pools {
		if p.sure != p.most || p.changes {
			err = errors.Join(err, fmt.Errorf("the test itself: %s has %d or %d addresses taken", p.name, p.sure, p.most))
		}
	}
	return err
}
