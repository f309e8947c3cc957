package inventory

import (
	"fmt"
	"testing"
	"time"

	"github.com/buoynet/buoy/vrf"
)

// labelled is a world with a compute node that has the labels first to last,
// and floating IPs 0 to 9 of project p.
func labelled(t testing.TB, first, last vrf.Label) *world {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"),
		CreateComputeNode{ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), Labels: LabelRange{first, last}}}, node(cmp2, "10.0.0.12"))
	for i := range 10 {
		w.do(Allocate{Name: fip(i), Network: public})
	}
	return w
}

// label returns what the association of a floating IP got.
func (w *world) label(name string) vrf.Label {
	w.Helper()
	f, ok := w.state.FloatingIP(name)
	if !ok || len(f.Associations) != 1 {
		w.Fatalf("%s is %+v", name, f)
	}
	return f.Associations[0].Label
}

// expectLabel associates a floating IP with an interface of cmp1, without a
// label.
func (w *world) expectLabel(i int, iface string, want vrf.Label) {
	w.Helper()
	w.do(associate(fip(i), cmp1, iface, 0))
	if got := w.label(fip(i)); got != want {
		w.Errorf("%s got label %d, want %d", iface, got, want)
	}
}

func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

func TestAllocateLabel(t *testing.T) {
	w := labelled(t, 100, 102)
	const fip0 = `put fip/projects/p/floatingIps/0@5 {"name":"projects/p/floatingIps/0","network":"projects/p/networks/public","address":"203.0.113.1","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]}`
	w.planned("allocated", associate(fip(0), cmp1, "tap0", 0),
		`put iface/cmp1/tap0@0 {"label":100,"users":1}`,
		`put label/cmp1/100@0 tap0`,
		`check resting/cmp1/100@0`,
		fip0, `check node/computeNodes/cmp1@3`)
	w.planned("the default range", associate(fip(0), cmp2, "tap0", 0),
		`put iface/cmp2/tap0@0 {"label":100000,"users":1}`,
		`put label/cmp2/100000@0 tap0`,
		`check resting/cmp2/100000@0`,
		`put fip/projects/p/floatingIps/0@5 {"name":"projects/p/floatingIps/0","network":"projects/p/networks/public","address":"203.0.113.1","associations":[{"compute_node":"computeNodes/cmp2","interface":"tap0","fixed_ip":"10.47.0.5","label":100000}]}`,
		`check node/computeNodes/cmp2@4`)
	w.do(associate(fip(0), cmp1, "tap0", 101)) // given, inside the range
	w.expectLabel(1, "tap0", 101)              // that of the interface
	w.expectLabel(2, "tap1", 100)
	w.expectLabel(3, "tap2", 102) // over the one that was given
	w.do(associate(fip(4), cmp1, "tap4", 5000))
	w.refused("exhausted", associate(fip(5), cmp1, "tap5", 0), Error{ResourceExhausted, ReasonLabelExhausted, "label", cmp1,
		"all labels 100-102 of computeNodes/cmp1 are taken; give the node a larger range"})
	w.refused("another one", associate(fip(5), cmp1, "tap0", 103), Error{FailedPrecondition, ReasonLabelDiffers, "label", cmp1,
		"interface tap0 of computeNodes/cmp1 has label 101; all its floating IPs share it"})
	w.do(UpdateComputeNode{Name: cmp1, Labels: &LabelRange{100, 103}})
	w.expectLabel(5, "tap5", 103)
	w.do(UpdateComputeNode{Name: cmp1, Labels: &LabelRange{16, 17}}) // who has one keeps it
	w.expectLabel(6, "tap5", 103)
	w.expectLabel(7, "tap7", 16)
	w.do(UpdateComputeNode{Name: cmp1, Labels: &LabelRange{}}) // the default one again
	w.expectLabel(8, "tap8", 100_000)
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}

func TestLabelRangeRefusals(t *testing.T) {
	w := labelled(t, 100, 102)
	for _, tt := range []struct {
		labels LabelRange
		hold   uint32
		want   Error
	}{
		{LabelRange{15, 20}, 0, Error{InvalidArgument, ReasonInvalid, "label_range", "", "expected labels FIRST-LAST within 16-1048575, got 15-20"}},
		{LabelRange{16, 1048576}, 0, Error{InvalidArgument, ReasonInvalid, "label_range", "", "expected labels FIRST-LAST within 16-1048575, got 16-1048576"}},
		{LabelRange{18, 17}, 0, Error{InvalidArgument, ReasonInvalid, "label_range", "", "expected labels FIRST-LAST within 16-1048575, got 18-17"}},
		{LabelRange{0, 17}, 0, Error{InvalidArgument, ReasonInvalid, "label_range", "", "expected labels FIRST-LAST within 16-1048575, got 0-17"}},
		{LabelRange{}, 86401, Error{InvalidArgument, ReasonInvalid, "label_hold_down", "", "expected at most 86400 seconds, got 86401"}},
	} {
		name := fmt.Sprint(tt.labels, tt.hold)
		w.refused("create "+name, CreateComputeNode{ComputeNode{Name: "computeNodes/x", Address: addr("10.0.0.99"), Labels: tt.labels, LabelHoldDown: tt.hold}}, tt.want)
		w.refused("update "+name, UpdateComputeNode{Name: cmp1, Labels: &tt.labels, LabelHoldDown: &tt.hold}, tt.want)
	}
	w.do(UpdateComputeNode{Name: cmp1, Labels: &LabelRange{16, 1048575}, LabelHoldDown: ptr(uint32(86400))},
		UpdateComputeNode{Name: cmp1, Labels: &LabelRange{16, 16}, LabelHoldDown: ptr(uint32(0))})
	if n, _ := w.state.ComputeNode(cmp1); n.HoldDown() != time.Minute || n.LabelRange() != (LabelRange{16, 16}) {
		t.Errorf("got %+v", n)
	}
}

func TestLabelRests(t *testing.T) {
	w := labelled(t, 100, 101)
	w.do(associate(fip(0), cmp1, "tap0", 0), associate(fip(1), cmp1, "tap0", 0))
	w.planned("not the last user", Disassociate{Name: fip(0)},
		`put fip/projects/p/floatingIps/0@15 {"name":"projects/p/floatingIps/0","network":"projects/p/networks/public","address":"203.0.113.1"}`,
		`put iface/cmp1/tap0@16 {"label":100,"users":1}`)
	w.do(Disassociate{Name: fip(0)})
	w.planned("the last user", Disassociate{Name: fip(1)},
		`put fip/projects/p/floatingIps/1@16 {"name":"projects/p/floatingIps/1","network":"projects/p/networks/public","address":"203.0.113.2"}`,
		`delete iface/cmp1/tap0@17`,
		`delete label/cmp1/100@any`,
		`check node/computeNodes/cmp1@3`,
		`put resting/cmp1/100@any {"interface":"tap0","released":1000000000}`)
	w.do(Disassociate{Name: fip(1)})
	resting := func(left string) Error {
		return Error{FailedPrecondition, ReasonLabelResting, "label", cmp1,
			"interface tap0 of computeNodes/cmp1 had 100 until a moment ago; it rests for another " + left + ", since gateways may still send to it"}
	}
	w.refused("given", associate(fip(2), cmp1, "tap1", 100), resting("1m0s"))
	w.expectLabel(2, "tap1", 101)
	w.later(59 * time.Second)
	w.restart()
	w.refused("nearly", associate(fip(3), cmp1, "tap2", 100), resting("1s"))
	w.refused("exhausted", associate(fip(3), cmp1, "tap2", 0), Error{ResourceExhausted, ReasonLabelExhausted, "label", cmp1,
		"all labels 100-101 of computeNodes/cmp1 are taken, the first one that rests after its last use is free in 1s; give the node a larger range"})
	w.planned("the same interface gets it back", associate(fip(3), cmp1, "tap0", 0),
		`put iface/cmp1/tap0@0 {"label":100,"users":1}`,
		`put label/cmp1/100@0 tap0`,
		`delete resting/cmp1/100@18`,
		`put fip/projects/p/floatingIps/3@8 {"name":"projects/p/floatingIps/3","network":"projects/p/networks/public","address":"203.0.113.4","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]}`,
		`check node/computeNodes/cmp1@3`)
	w.planned("or is given it", associate(fip(3), cmp1, "tap0", 100),
		`put iface/cmp1/tap0@0 {"label":100,"users":1}`,
		`put label/cmp1/100@0 tap0`,
		`delete resting/cmp1/100@18`,
		`put fip/projects/p/floatingIps/3@8 {"name":"projects/p/floatingIps/3","network":"projects/p/networks/public","address":"203.0.113.4","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]}`,
		`check node/computeNodes/cmp1@3`)
	w.later(time.Second)
	w.expectLabel(3, "tap2", 100) // rested
	if w.state.resting.Len() != 0 {
		t.Error("its record is left over")
	}
	// A label of the node's own, outside of the range, does not rest.
	w.do(associate(fip(4), cmp1, "tap4", 5000), Disassociate{Name: fip(4)}, associate(fip(5), cmp1, "tap5", 5000))
}

// TestLabelsPreferRest: while another label is free, one that rests is not
// taken; and a resting one of the interface before both.
func TestLabelsPreferRest(t *testing.T) {
	w := labelled(t, 100, 103)
	w.expectLabel(0, "tap0", 100)
	w.expectLabel(1, "tap1", 101)
	w.do(Disassociate{Name: fip(0)})
	w.expectLabel(2, "tap2", 102)
	w.do(Disassociate{Name: fip(1)})
	w.expectLabel(1, "tap1", 101) // its own
	w.expectLabel(3, "tap3", 103)
	w.later(time.Hour)
	w.do(UpdateComputeNode{Name: cmp1, Labels: &LabelRange{101, 104}})
	w.expectLabel(0, "tap0", 104) // its own is not in the range any more
}
