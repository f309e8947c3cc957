package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestCrash kills buoyd in the middle of a stream of concurrent writers, many
// times. Each writer has floating IPs of its own and takes them through their
// life, with addresses and labels that Buoy chooses. After each restart every
// acknowledged change is there, what was under way has happened as a whole or
// not at all, no address and no label has two owners, and the routes are those
// of the floating IPs.
func TestCrash(t *testing.T) {
	const (
		rounds  = 15
		writers = 16
	)
	w := newWorld(t)
	w.start()
	w.ctl("create network vn-public --subnet 203.0.113.0/25 --subnet 198.51.100.0/28")
	w.ctl("create pool main --network vn-public --range 203.0.113.0/25") // smaller than what the writers want at times
	w.ctl("bind pool main --global")
	for n := range nodes {
		w.ctl(fmt.Sprintf("create computenode cmp%d --address 10.0.0.1%d --label-hold-down 1", n, n))
	}
	var crew []*writer
	for n := range writers {
		crew = append(crew, &writer{rand: rand.New(rand.NewPCG(rand.Uint64(), uint64(n))), number: n, acked: map[string]*buoyv1.FloatingIP{}})
	}
	acknowledged := 0
	for round := range rounds {
		acknowledged += w.workUntilKilled(crew, round)
		w.restart()
		w.checkAcknowledged(crew)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d changes acknowledged in %d rounds", acknowledged, rounds)
	if acknowledged < rounds {
		t.Error("hardly anything was acknowledged before the kills: nothing was tested")
	}
}

// nodes is how many compute nodes the writers use.
const nodes = 4

// client connects to the buoyd that runs now.
func (w *world) client() buoyv1.FloatingIPsClient { return buoyv1.NewFloatingIPsClient(w.dial()) }

func (w *world) dial() *grpc.ClientConn {
	w.t.Helper()
	conn, err := grpc.NewClient(w.buoyd.Server(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// workUntilKilled lets the writers work until the daemon is killed, or in
// every fifth round stopped, at a random moment. It returns how many changes
// were acknowledged.
func (w *world) workUntilKilled(crew []*writer, round int) (acknowledged int) {
	w.t.Helper()
	client := w.client()
	var running sync.WaitGroup
	for _, c := range crew {
		running.Go(func() { c.work(client) })
	}
	time.Sleep(rand.N(400 * time.Millisecond)) // the moment is the experiment; nothing is waited for
	if round%5 == 4 {
		if err := w.buoyd.Stop(); err != nil {
			w.t.Error(err)
		}
	} else {
		w.buoyd.Kill()
	}
	running.Wait()
	for _, c := range crew {
		acknowledged += c.changes
		c.changes = 0
		if c.err != nil {
			w.t.Error(c.err)
		}
	}
	return acknowledged
}

// checkAcknowledged compares what the daemon has with what the writers know.
func (w *world) checkAcknowledged(crew []*writer) {
	w.t.Helper()
	have := map[string]*buoyv1.FloatingIP{}
	client := w.client()
	for page := ""; ; {
		resp, err := client.ListFloatingIPs(w.deadline(), &buoyv1.ListFloatingIPsRequest{PageSize: 7, PageToken: page})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range resp.FloatingIps {
			have[f.Name] = f
		}
		if page = resp.NextPageToken; page == "" {
			break
		}
	}
	left := len(have)
	for _, c := range crew {
		for i := range perWriter {
			name := c.name(i)
			if have[name] != nil {
				left--
			}
			c.check(w.t, name, have[name])
		}
		c.open = nil
	}
	if left != 0 {
		w.t.Errorf("%d floating IPs that nobody made", left)
	}
	w.checkUnique(have)
	w.checkRoutesOf(have)
}

// checkUnique checks that no address and no label has two owners.
func (w *world) checkUnique(have map[string]*buoyv1.FloatingIP) {
	w.t.Helper()
	holders := map[string]string{}
	own := func(what, owner string) {
		if other, ok := holders[what]; ok && other != owner {
			w.t.Errorf("%s belongs to %s and to %s", what, other, owner)
		}
		holders[what] = owner
	}
	for name, f := range have {
		own(f.Address+" of "+f.Network, name)
		for _, a := range f.Associations {
			own(fmt.Sprint("label ", a.Label, " of ", a.ComputeNode), a.Interface)
			own("interface "+a.Interface+" of "+a.ComputeNode, fmt.Sprint("label ", a.Label))
		}
	}
}

// checkRoutesOf compares what is advertised with what follows from the
// floating IPs.
func (w *world) checkRoutesOf(have map[string]*buoyv1.FloatingIP) {
	w.t.Helper()
	want := map[string]bool{}
	for name, f := range have {
		for _, a := range f.Associations {
			address := "10.0.0.1" + a.ComputeNode[len(a.ComputeNode)-1:]
			want[fmt.Sprintf("%s:1:%s/32 label %d via %s of %s", address, f.Address, a.Label, address, name)] = true
		}
	}
	client := buoyv1.NewRoutesClient(w.dial())
	for req := (&buoyv1.ListRoutesRequest{}); ; {
		resp, err := client.ListRoutes(w.deadline(), req)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range resp.Routes {
			text := fmt.Sprintf("%s:%s label %d via %s of %s", r.RouteDistinguisher, r.Prefix, r.Label, r.NextHop, r.FloatingIp)
			if !want[text] {
				w.t.Errorf("%s is advertised and should not be", text)
			}
			delete(want, text)
		}
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			break
		}
	}
	for text := range want {
		w.t.Errorf("%s is not advertised", text)
	}
}

// writer takes its floating IPs through their life, one change at a time.
type writer struct {
	rand    *rand.Rand
	number  int
	acked   map[string]*buoyv1.FloatingIP // as the last reply said; nothing when there is none
	open    *change                       // the one that was not answered
	changes int                           // acknowledged in this round
	err     error
}

// change is one that may or may not have happened.
type change struct {
	name     string
	happened func(*buoyv1.FloatingIP) bool // whether this is how it looks afterwards
}

// perWriter is how many floating IPs each has.
const perWriter = 10

func (c *writer) name(i int) string {
	return fmt.Sprintf("projects/default/floatingIps/f-%d-%d", c.number, i)
}

// work changes floating IPs until the daemon no longer answers.
func (c *writer) work(client buoyv1.FloatingIPsClient) {
	for c.open == nil && c.err == nil {
		c.step(client)
	}
}

// check compares a floating IP with the last reply, and takes over what the
// change that was not answered has made of it.
func (c *writer) check(t *testing.T, name string, have *buoyv1.FloatingIP) {
	t.Helper()
	acked := c.acked[name]
	same := (have == nil) == (acked == nil) && (have == nil || equal(have, acked))
	if !same && (c.open == nil || c.open.name != name || !c.open.happened(have)) {
		t.Errorf("%s was acknowledged as\n     %v\nand is %v", name, acked, have)
	}
	if c.acked[name] = have; have == nil {
		delete(c.acked, name)
	}
}

// equal compares what is stored of floating IPs.
func equal(a, b *buoyv1.FloatingIP) bool {
	stored := func(f *buoyv1.FloatingIP) proto.Message {
		f = proto.CloneOf(f)
		f.State, f.StateReason = 0, ""
		return f
	}
	return proto.Equal(stored(a), stored(b))
}

// step makes one change.
func (c *writer) step(client buoyv1.FloatingIPsClient) {
	name := c.name(c.rand.IntN(perWriter))
	old := c.acked[name]
	ctx := context.Background() // what is under way must be answered, or the connection lost
	var f *buoyv1.FloatingIP
	var err error
	var happened func(*buoyv1.FloatingIP) bool
	switch {
	case old == nil:
		f, err = client.Allocate(ctx, &buoyv1.AllocateRequest{Name: name})
		happened = func(f *buoyv1.FloatingIP) bool { return f != nil && len(f.Associations) == 0 }
	case len(old.Associations) == 0 && c.rand.IntN(3) == 0:
		_, err = client.Release(ctx, &buoyv1.ReleaseRequest{Name: name})
		happened = func(f *buoyv1.FloatingIP) bool { return f == nil }
	case len(old.Associations) == 0:
		a := c.place()
		f, err = client.Associate(ctx, &buoyv1.AssociateRequest{Name: name, Association: a})
		happened = at(a)
	case c.rand.IntN(2) == 0:
		a := c.place()
		f, err = client.Move(ctx, &buoyv1.MoveRequest{Name: name, Association: a})
		happened = at(a)
	default:
		f, err = client.Disassociate(ctx, &buoyv1.DisassociateRequest{Name: name})
		happened = func(f *buoyv1.FloatingIP) bool {
			return f != nil && len(f.Associations) == 0 && f.Address == old.Address
		}
	}
	switch code := status.Code(err); {
	case err == nil && f == nil:
		delete(c.acked, name)
		c.changes++
	case err == nil:
		c.acked[name] = f
		c.changes++
	case code == codes.ResourceExhausted: // the pool is smaller than what all writers want
	case code == codes.Unavailable || code == codes.Canceled:
		c.open = &change{name, happened}
	default:
		c.err = fmt.Errorf("%s: %w", name, err)
	}
}

// place returns somewhere to be, with a label that Buoy chooses. Writers share
// interfaces, and so their labels.
func (c *writer) place() *buoyv1.Association {
	return &buoyv1.Association{
		ComputeNode: fmt.Sprint("computeNodes/cmp", c.rand.IntN(nodes)),
		Interface:   fmt.Sprint("tap", c.rand.IntN(20)),
		FixedIp:     fmt.Sprint("10.47.0.", 1+c.rand.IntN(200)),
	}
}

// at reports whether a floating IP is at a place.
func at(a *buoyv1.Association) func(*buoyv1.FloatingIP) bool {
	return func(f *buoyv1.FloatingIP) bool {
		return f != nil && len(f.Associations) == 1 && f.Associations[0].ComputeNode == a.ComputeNode &&
			f.Associations[0].Interface == a.Interface && f.Associations[0].FixedIp == a.FixedIp
	}
}
