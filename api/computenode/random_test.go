package computenode

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// inventory is what a random server has, and when what of it has changed.
type inventory struct {
	mu           sync.Mutex
	random       *rand.Rand
	calm         bool // nothing fails any more
	revision     int
	oldest       int // tokens before count no more
	ips          map[string]*buoyv1.NodeFloatingIP
	routes       map[routeKey]*buoyv1.NodeRoute
	changedIP    map[string]int
	changedRoute map[routeKey]int
	resumed      int
}

func (v *inventory) chance(percent int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.calm && v.random.IntN(100) < percent
}

// mutate changes something.
func (v *inventory) mutate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.revision++
	networks := []string{red, blue, "projects/default/networks/green"}
	name, network, label := fmt.Sprint("f", v.random.IntN(6)), v.random.IntN(3), uint32(v.random.IntN(3))
	k := routeKey{networks[network], fmt.Sprintf("10.%d.0.0/16", v.random.IntN(5))}
	switch v.random.IntN(9) {
	case 0, 1, 2:
		delete(v.ips, name)
		v.changedIP[name] = v.revision
	case 3, 4:
		v.ips[name] = ip(name, networks[network], label)
		v.changedIP[name] = v.revision
	case 5, 6:
		delete(v.routes, k)
		v.changedRoute[k] = v.revision
	case 7:
		v.oldest = v.revision
	default:
		v.routes[k] = route(k.network, k.prefix, label+1)
		v.changedRoute[k] = v.revision
	}
}

// told is what a stream has told.
type told struct {
	at       int
	ips      map[string]bool
	networks map[string]bool
}

// since returns changes, and what is told then; everything when there is no place.
func (v *inventory) since(t told, everything bool) (*buoyv1.Changes, told) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := told{at: v.revision, ips: map[string]bool{}, networks: map[string]bool{}}
	c := &buoyv1.Changes{}
	for name, f := range v.ips {
		now.ips[name], now.networks[f.GetNetwork()] = true, true
		if everything || !t.ips[name] || v.changedIP[name] > t.at {
			c.FloatingIps = append(c.FloatingIps, f)
		}
	}
	for name := range t.ips {
		if !now.ips[name] {
			c.RemovedFloatingIps = append(c.RemovedFloatingIps, name)
		}
	}
	for name := range t.networks {
		if !now.networks[name] {
			c.RemovedNetworks = append(c.RemovedNetworks, name)
		}
	}
	for k, r := range v.routes {
		if now.networks[k.network] && (everything || !t.networks[k.network] || v.changedRoute[k] > t.at) {
			c.Routes = append(c.Routes, r)
		}
	}
	for k, at := range v.changedRoute {
		if v.routes[k] == nil && at > t.at {
			c.WithdrawnRoutes = append(c.WithdrawnRoutes, &buoyv1.WithdrawnRoute{Network: k.network, Prefix: k.prefix})
		}
	}
	return c, now
}

var errCut = errors.New("cut")

// serve is a stream that may be cut before each message.
func (v *inventory) serve(stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	h, t := first.GetHello(), told{ips: map[string]bool{}, networks: map[string]bool{}}
	v.mu.Lock()
	at, err := strconv.Atoi(h.GetResumeToken())
	resumed := err == nil && at >= v.oldest
	v.mu.Unlock()
	stream.Send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Welcome{Welcome: &buoyv1.Welcome{HoldTime: 30, Resumed: resumed}}})
	if resumed {
		v.set(func() { v.resumed++ })
		t.at = at
		for _, name := range h.GetFloatingIps() {
			t.ips[name] = true
		}
		for _, name := range h.GetNetworks() {
			t.networks[name] = true
		}
	}
	snapshot := !resumed
	for {
		var c *buoyv1.Changes
		c, t = v.since(t, snapshot)
		token := strconv.Itoa(t.at)
		removals := &buoyv1.Changes{RemovedFloatingIps: c.GetRemovedFloatingIps(), RemovedNetworks: c.GetRemovedNetworks(), WithdrawnRoutes: c.GetWithdrawnRoutes()}
		var steps []func()
		if snapshot {
			steps = append(steps, func() { stream.Send(beginning()) },
				func() { stream.Send(changing(&buoyv1.Changes{FloatingIps: c.GetFloatingIps()})) },
				func() { stream.Send(ending(buoyv1.EndOfSnapshot_FLOATING_IPS, "")) },
				func() { stream.Send(changing(&buoyv1.Changes{Routes: c.GetRoutes()})) },
				func() { stream.Send(ending(buoyv1.EndOfSnapshot_ROUTES, token)) })
		} else {
			steps = append(steps, func() { stream.Send(changing(removals)) },
				func() { stream.Send(changing(&buoyv1.Changes{FloatingIps: c.GetFloatingIps()})) },
				func() { stream.Send(changing(&buoyv1.Changes{Routes: c.GetRoutes(), ResumeToken: token})) })
		}
		again := false
		for _, step := range steps {
			if v.chance(4) {
				return errCut
			}
			if again = v.chance(2); again {
				break // it was too slow: what has changed is no longer known
			}
			step()
			time.Sleep(10 * time.Millisecond)
			if stream.Context().Err() != nil {
				return stream.Context().Err()
			}
		}
		snapshot = again
	}
}

func (v *inventory) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

func beginning() *buoyv1.AttachResponse {
	return &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_BeginOfSnapshot{BeginOfSnapshot: &buoyv1.BeginOfSnapshot{}}}
}

func changing(c *buoyv1.Changes) *buoyv1.AttachResponse {
	return &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Changes{Changes: c}}
}

func ending(part buoyv1.EndOfSnapshot_Part, token string) *buoyv1.AttachResponse {
	return &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_EndOfSnapshot{EndOfSnapshot: &buoyv1.EndOfSnapshot{Part: part, ResumeToken: token}}}
}

// TestRandom: whatever changes, is cut, forgotten by the server or fails half done, what
// is programmed is in the end what the server has.
func TestRandom(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			v := &inventory{random: rand.New(rand.NewPCG(seed, 1)), ips: map[string]*buoyv1.NodeFloatingIP{}, routes: map[routeKey]*buoyv1.NodeRoute{},
				changedIP: map[string]int{}, changedRoute: map[routeKey]int{}}
			l := &lab{TB: t, log: &logBuffer{}}
			var there copyOf // owned by Program until stop has returned
			there.ips, there.routes = map[string]*buoyv1.NodeFloatingIP{}, map[routeKey]*buoyv1.NodeRoute{}
			l.serve(t, v.serve)
			l.agent.program = func(_ context.Context, b Batch) error { return there.program(v, b) }
			for range 200 {
				v.mutate()
				time.Sleep(30 * time.Millisecond)
			}
			v.set(func() { v.calm = true })
			time.Sleep(time.Minute)
			l.stop()
			networks := map[string]bool{}
			for _, f := range v.ips {
				networks[f.GetNetwork()] = true
			}
			want := copyOf{ips: v.ips, routes: map[routeKey]*buoyv1.NodeRoute{}}
			for k, r := range v.routes {
				if networks[k.network] {
					want.routes[k] = r
				}
			}
			mirrored, also := l.agent.Mirror()
			if !there.equal(want) || len(mirrored) != len(want.ips) || len(also) != len(want.routes) {
				t.Errorf("seed %d: got %v, want %v", seed, there, want)
			}
			if v.resumed == 0 {
				t.Errorf("seed %d: no stream was resumed", seed)
			}
		})
	}
}
