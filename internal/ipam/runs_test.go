package ipam

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
)

const most = math.MaxUint64

// dump returns the runs of a set, and checks what holds for them: they are
// sorted, disjoint, and none could be joined with the next one.
func dump[S cmp.Ordered](t testing.TB, r *Runs[S]) (list []run[S]) {
	t.Helper()
	r.tree.Scan(func(x run[S]) bool {
		if x.last.less(x.first) {
			t.Fatalf("the run %v is reversed", x)
		}
		if len(list) > 0 {
			before := list[len(list)-1]
			if x.space < before.space {
				t.Fatalf("%v stands behind %v", x, before)
			}
			if x.space == before.space && (before.last == maxNumber || !before.last.next().less(x.first)) {
				t.Fatalf("%v overlaps or touches %v", x, before)
			}
		}
		list = append(list, x)
		return true
	})
	if len(list) != r.Len() {
		t.Fatalf("Len() = %d for %d runs", r.Len(), len(list))
	}
	return list
}

func low(n uint64) Number { return Number{0, n} }

func TestNumber(t *testing.T) {
	sorted := []Number{{0, 0}, {0, 1}, {0, most - 1}, {0, most}, {1, 0}, {1, 1}, {most, 0}, {most, most - 1}, {most, most}}
	for i, a := range sorted {
		for j, b := range sorted {
			if got, want := a.Compare(b), cmp.Compare(i, j); got != want || a.less(b) != (want < 0) {
				t.Errorf("%v compared with %v: got %d, want %d", a, b, got, want)
			}
		}
	}
	for _, tt := range []struct{ n, next Number }{
		{Number{0, 0}, Number{0, 1}},
		{Number{0, most}, Number{1, 0}},
		{Number{6, most}, Number{7, 0}},
		{Number{most, most - 1}, Number{most, most}},
		{maxNumber, Number{}},
	} {
		if got := tt.n.next(); got != tt.next || got.prev() != tt.n {
			t.Errorf("%v, next %v, back %v", tt.n, got, got.prev())
		}
	}
	for _, tt := range []struct {
		first, last Number
		want        uint64
	}{
		{low(5), low(5), 1},
		{low(0), low(most - 2), most - 1},
		{low(0), low(most - 1), most},
		{low(0), low(most), most},
		{Number{}, maxNumber, most},
		{low(most), Number{1, 0}, 2},
		{Number{3, most - 4}, Number{4, 5}, 11},
		{Number{3, 5}, Number{4, 4}, most},
		{Number{3, 5}, Number{4, 3}, most},
		{Number{3, 5}, Number{4, 2}, most - 1},
		{Number{3, 5}, Number{4, 5}, most},
	} {
		if got := count(tt.first, tt.last); got != tt.want {
			t.Errorf("from %v to %v: got %d, want %d", tt.first, tt.last, got, tt.want)
		}
	}
}

// TestRunsAt adds and removes numbers around each edge of the 128 bits.
func TestRunsAt(t *testing.T) {
	for name, base := range map[string]Number{
		"zero":      {},
		"the carry": {6, most - 2},
		"the end":   {most, most - 5},
	} {
		t.Run(name, func(t *testing.T) {
			var n [6]Number
			n[0] = base
			for i := range 5 {
				n[i+1] = n[i].next()
			}
			r := NewRuns[string]()
			for _, tt := range []struct {
				op   string
				i    int
				want bool
				runs string // the members, runs separated by a blank
			}{
				{"+", 2, true, "2"},
				{"+", 2, false, "2"},
				{"+", 3, true, "23"},    // joins the one before
				{"+", 1, true, "123"},   // joins the one after
				{"+", 5, true, "123 5"}, // joins none
				{"+", 4, true, "12345"}, // joins both
				{"+", 3, false, "12345"},
				{"-", 0, false, "12345"},
				{"+", 0, true, "012345"},
				{"-", 5, true, "01234"}, // the last
				{"-", 0, true, "1234"},  // the first
				{"-", 0, false, "1234"},
				{"-", 2, true, "1 34"}, // the middle
				{"-", 2, false, "1 34"},
				{"-", 1, true, "34"}, // the only one
				{"+", 5, true, "345"},
				{"+", 0, true, "0 345"},
			} {
				var got bool
				switch tt.op {
				case "+":
					got = r.Add("x", n[tt.i])
				case "-":
					got = r.Remove("x", n[tt.i])
				}
				text := ""
				for i, x := range dump(t, r) {
					if i > 0 {
						text += " "
					}
					for i := range n {
						if !n[i].less(x.first) && !x.last.less(n[i]) {
							text += fmt.Sprint(i)
						}
					}
				}
				if got != tt.want || text != tt.runs {
					t.Fatalf("%s%d: got %t, %q, want %q", tt.op, tt.i, got, text, tt.runs)
				}
			}
			for i, want := range []bool{true, false, false, true, true, true} {
				if got := r.Contains("x", n[i]); got != want {
					t.Errorf("Contains(%d) = %t", i, got)
				}
			}
			for _, tt := range []struct{ first, last, absent, count int }{ // absent -1: none
				{0, 0, -1, 1}, {0, 1, 1, 1}, {0, 5, 1, 4}, {1, 1, 1, 0}, {2, 5, 2, 3}, {3, 5, -1, 3}, {4, 5, -1, 2}, {4, 4, -1, 1}, {5, 3, -1, 0}, {2, 1, -1, 0},
			} {
				got, ok := r.NextAbsent("x", n[tt.first], n[tt.last])
				if ok != (tt.absent >= 0) || ok && got != n[tt.absent] || !ok && got != (Number{}) {
					t.Errorf("NextAbsent(%d, %d) = %v, %t, want %d", tt.first, tt.last, got, ok, tt.absent)
				}
				if got := r.Count("x", n[tt.first], n[tt.last]); got != uint64(tt.count) {
					t.Errorf("Count(%d, %d) = %d, want %d", tt.first, tt.last, got, tt.count)
				}
			}
		})
	}
}

// TestRunsEnds checks that nothing wraps from the greatest number to zero.
func TestRunsEnds(t *testing.T) {
	r := NewRuns[string]()
	r.Add("x", Number{})
	r.Add("x", maxNumber)
	if got := dump(t, r); len(got) != 2 {
		t.Fatalf("got %v, want two runs", got)
	}
	if n, ok := r.NextAbsent("x", maxNumber, maxNumber); ok {
		t.Errorf("after the greatest number comes %v", n)
	}
	if n, ok := r.NextAbsent("x", Number{}, maxNumber); !ok || n != low(1) {
		t.Errorf("after zero comes %v, %t", n, ok)
	}
	if n := r.Count("x", Number{}, maxNumber); n != 2 {
		t.Errorf("counted %d", n)
	}
	if !r.Remove("x", maxNumber) || !r.Remove("x", Number{}) || r.Remove("x", Number{}) || r.Len() != 0 {
		t.Error("they are not removed")
	}
}

func TestCountSaturates(t *testing.T) {
	r := NewRuns[string]()
	// Nobody adds that many numbers one by one.
	r.tree.Set(run[string]{"x", Number{1, 0}, Number{1, most - 1}})
	r.tree.Set(run[string]{"x", Number{2, 0}, Number{2, 0}})
	r.tree.Set(run[string]{"x", Number{3, 0}, Number{9, 0}})
	for _, tt := range []struct {
		first, last Number
		want        uint64
	}{
		{Number{}, Number{1, most - 2}, most - 1},
		{Number{}, Number{1, most}, most},
		{Number{}, Number{2, 5}, most},
		{Number{1, 1}, Number{2, 5}, most},
		{Number{1, 2}, Number{2, 5}, most - 1},
		{Number{}, maxNumber, most},
		{Number{5, 0}, Number{5, 7}, 8},
	} {
		if got := r.Count("x", tt.first, tt.last); got != tt.want {
			t.Errorf("from %v to %v: got %d, want %d", tt.first, tt.last, got, tt.want)
		}
	}
}

func TestRunsSpaces(t *testing.T) {
	r := NewRuns[uint16]()
	for _, space := range []uint16{2, 1, 3} {
		for _, n := range []Number{low(4), low(5), {}, maxNumber} {
			if !r.Add(space, n) {
				t.Errorf("%v is already in space %d", n, space)
			}
		}
	}
	if got := dump(t, r); len(got) != 9 {
		t.Errorf("got %v, want three runs in each space", got)
	}
	r.Remove(2, low(5))
	r.Remove(2, maxNumber)
	r.Remove(3, Number{})
	for _, tt := range []struct {
		space  uint16
		absent Number
		count  uint64
	}{{0, low(4), 0}, {1, low(6), 4}, {2, low(5), 2}, {3, low(6), 3}, {4, low(4), 0}} {
		if got, ok := r.NextAbsent(tt.space, low(4), maxNumber); !ok || got != tt.absent {
			t.Errorf("space %d: the next absent is %v, %t, want %v", tt.space, got, ok, tt.absent)
		}
		if got := r.Count(tt.space, Number{}, maxNumber); got != tt.count {
			t.Errorf("space %d: counted %d, want %d", tt.space, got, tt.count)
		}
		if got := r.Contains(tt.space, Number{}); got != (tt.space == 1 || tt.space == 2) {
			t.Errorf("space %d: contains zero: %t", tt.space, got)
		}
	}
}

func TestRunsCopy(t *testing.T) {
	r := NewRuns[string]()
	for i := range uint64(1000) {
		r.Add("x", low(2*i)) // enough runs for several nodes of the tree
	}
	before := dump(t, r)
	c := r.Copy()
	for i := range uint64(500) {
		r.Add("x", low(2*i+1))
		c.Remove("x", low(2*i))
	}
	if got := dump(t, r); len(got) != 500 || got[0] != (run[string]{"x", low(0), low(1000)}) {
		t.Errorf("the original has %d runs, the first is %v", len(got), got[0])
	}
	if got := dump(t, c); !slices.Equal(got, before[500:]) {
		t.Errorf("the copy has %d runs, want the upper half", len(got))
	}
}
