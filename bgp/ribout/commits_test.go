package ribout

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/buoynet/buoy/vrf"
)

// TestCommits: each write says which commits its single changes come from, whoever of a
// group it is handed to; what a session begins with comes from none.
func TestCommits(t *testing.T) {
	table := NewTable()
	one, two := route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "203.0.113.6", 101, targets("64512:1"))
	first, second := time.Unix(100, 0), time.Unix(200, 0)
	table.SetCommitted(first)
	table.Advertise([]vrf.Route{one})
	peers, _ := equals(t, table, 2)
	expect := func(what string, want ...time.Time) {
		t.Helper()
		for i, p := range peers {
			var got []time.Time
			for more := true; more; {
				more = p.step()
				got = append(got, p.out.Commits()...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: neighbor %d was sent the commits %v, want %v", what, i, got, want)
			}
		}
	}
	expect("the session is new")
	table.SetCommitted(second)
	one.Label = 200
	table.Advertise([]vrf.Route{one, two})
	expect("changes of one commit", second)
	table.SetCommitted(first)
	table.Advertise([]vrf.Route{one})
	expect("nothing is different")
	table.Withdraw([]vrf.Route{one})
	table.SetCommitted(second)
	table.Withdraw([]vrf.Route{two})
	expect("two commits", first, second)
	table.SetCommitted(time.Time{})
	table.Advertise([]vrf.Route{one})
	expect("without a commit")
	table.SetCommitted(first)
	table.Advertise([]vrf.Route{two})
	table.SetCommitted(second)
	two.Label = 300
	table.Advertise([]vrf.Route{two})
	expect("the older change is passed over", second)
	table.WithdrawAll()
	expect("all are withdrawn")
}

// TestCommitsKept: marks go with the entries of the log that they are for.
func TestCommitsKept(t *testing.T) {
	table := NewTable()
	table.changes.least = 4
	peers, _ := equals(t, table, 1)
	peers[0].receive()
	r := route(11, "203.0.113.5", 100, targets("64512:1"))
	for i := range 100 {
		table.SetCommitted(time.Unix(int64(i), 1))
		r.Label = vrf.Label(100 + i)
		table.Advertise([]vrf.Route{r})
		if n := len(table.changes.marks); n > 5 {
			t.Fatalf("%d marks for %d entries", n, len(table.changes.slots))
		}
		if i%7 == 0 {
			peers[0].receive()
		}
	}
}

// TestRoutesFrom compares what is listed from any key on with the whole, sorted list.
func TestRoutesFrom(t *testing.T) {
	table := NewTable()
	var want []vrf.Route
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3 * firstPart {
		address := "203.0." + strconv.Itoa(i>>8) + "." + strconv.Itoa(i&0xff)
		if i%3 == 0 {
			address = "2001:db8::" + strconv.Itoa(i)
		}
		want = append(want, route(11+i%2, address, vrf.Label(100+i), targets("64512:1")))
	}
	r.Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
	table.Advertise(want)
	peers, _ := equals(t, table, 1)
	peers[0].receive()
	slices.SortFunc(want, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	froms := []vrf.Key{{}, {Prefix: want[10].Prefix}, {Prefix: want[len(want)-1].Prefix}}
	for range 20 {
		k := want[r.IntN(len(want))].Key
		shorter := k
		shorter.Prefix, _ = k.Prefix.Addr().Prefix(k.Prefix.Bits() - 9)
		froms = append(froms, k, shorter)
	}
	for _, from := range froms {
		rest := want
		for len(rest) > 0 && rest[0].Key.Compare(from) < 0 {
			rest = rest[1:]
		}
		var got []vrf.Route
		for r := range peers[0].out.Routes(from) {
			got = append(got, r)
		}
		if !slices.Equal(got, rest) {
			t.Fatalf("from %v there are %d, want %d", from, len(got), len(rest))
		}
	}
}

// TestQueue: what has yet to be compared, and what is written and waits for a member.
func TestQueue(t *testing.T) {
	table := NewTable()
	peers, _ := equals(t, table, 2)
	expect := func(what string, p *peer, routes int, waits bool) {
		t.Helper()
		if n, bytes := p.out.Queue(); n != routes || bytes > 0 != waits {
			t.Errorf("%s: %d routes and %d bytes, want %d and %t", what, n, bytes, routes, waits)
		}
	}
	for _, p := range peers {
		p.receive()
		expect("at first", p, 0, false)
	}
	table.Advertise([]vrf.Route{route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "203.0.113.6", 101, targets("64512:1"))})
	expect("two are new", peers[0], 2, false)
	peers[0].receive()
	expect("who has read", peers[0], 0, false)
	expect("who has not", peers[1], 0, true)
	peers[1].receive()
	expect("who has, too", peers[1], 0, false)
}
