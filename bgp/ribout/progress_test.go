package ribout

import (
	"math/rand/v2"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// TestProgress: of each delivery that is another one than before, whoever waits is
// told, unless its route was changed: that something was sent, if it was to come soon,
// and otherwise that all are judged anew, now or at the end of the round under way.
func TestProgress(t *testing.T) {
	s := *seed
	for s == 0 {
		s = rand.Uint64()
	}
	t.Logf("go test -run TestProgress -seed %d", s)
	r := rand.New(rand.NewPCG(s, 2))
	table := NewTable()
	var routes []vrf.Route
	for i := range 12 {
		routes = append(routes, route(i%3, address4(i), 100, targets([]string{"64512:1", "64512:2"}[i%2])))
	}
	peers := []*peer{
		connect(t, table, internal(vpn)), connect(t, table, internal(vpn)), connect(t, table, internal(vpn)),
		connect(t, table, internal(neighbor.AllFamilies)), connect(t, table, internal(neighbor.AllFamilies)),
	}
	type question struct {
		of  int
		key vrf.Key
	}
	deliveries := func() map[question]neighbor.Delivery {
		all := map[question]neighbor.Delivery{}
		for i, p := range peers {
			for _, route := range routes {
				d := p.out.Delivery(route.Key)
				all[question{i, route.Key}] = neighbor.Delivery{Reason: d.Reason, Soon: d.Soon}
			}
		}
		return all
	}
	changes := 0
	for range 3000 {
		before := deliveries()
		began, next := table.Progress()
		var touched vrf.Key
		switch p, m := peers[r.IntN(len(peers))], whole([]string{"64512:1", "64512:2"}[r.IntN(2)]); r.IntN(10) {
		case 0, 1:
			one := &routes[r.IntN(len(routes))]
			touched, one.Label = one.Key, vrf.Label(100+r.IntN(2))
			if err := table.Advertise([]vrf.Route{*one}); err != nil {
				t.Fatal(err)
			}
		case 2:
			one := routes[r.IntN(len(routes))]
			touched = one.Key
			table.Withdraw([]vrf.Route{one})
		case 3:
			p.out.SetPolicy(neighbor.Policy{MaxAdvertised: r.Uint32N(8)})
		case 4:
			p.out.ReceivedUpdate(joins([]membership{m}, nil))
		case 5:
			p.out.ReceivedUpdate(joins(nil, []membership{m}))
		case 6:
			if r.IntN(20) == 0 {
				p.out.EndMembership()
			}
			if r.IntN(20) == 0 {
				p.out.RefreshBegins()
				p.out.RefreshEnds()
			}
			p.refresh(pickFamily(r))
		default:
			p.step()
		}
		now, _ := table.Progress()
		if told := closed(next); told != (now != began) {
			t.Fatalf("from %+v to %+v: told %t", began, now, told)
		}
		for q, d := range deliveries() {
			if was := before[q]; d != was && q.key != touched {
				changes++
				told := now.Judged != began.Judged || was.Soon && now.Sent != began.Sent
				if !told && !peers[q.of].out.group.rounds {
					t.Fatalf("%s for neighbor %d: from %+v to %+v, and the progress from %+v to %+v", q.key, q.of, was, d, began, now)
				}
			}
		}
	}
	if changes < 100 {
		t.Errorf("%d deliveries have changed by themselves: nothing was tested", changes)
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
