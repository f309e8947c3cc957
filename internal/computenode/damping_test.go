package computenode

import (
	"testing"
	"time"
)

func TestDamping(t *testing.T) {
	for _, tt := range []struct {
		name  string
		flaps []int // seconds
		up    int   // when it comes up again
		want  int   // how long it counts as down then
	}{
		{"never", nil, 1, 0},
		{"four", []int{0, 1, 2, 3}, 4, 0},
		{"five", []int{0, 1, 2, 3, 4}, 5, 4},
		{"five at once", []int{0, 0, 0, 0, 0}, 0, 4},
		{"five, the last at the end of the minute", []int{0, 1, 2, 3, 59}, 60, 4},
		{"five, the last too late", []int{0, 1, 2, 3, 60}, 61, 0},
		{"the last five count", []int{0, 59, 60, 61, 62, 63}, 64, 4},
		{"every 15 s", []int{0, 15, 30, 45, 60, 75, 90, 105}, 106, 0},
		{"six", []int{0, 1, 2, 3, 4, 20}, 21, 8},
		{"seven", []int{0, 1, 2, 3, 4, 20, 79}, 80, 16},
		{"ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 10, 32},
		{"up after a minute", []int{0, 1, 2, 3, 4}, 64, 0},
		{"up just before", []int{0, 1, 2, 3, 4}, 63, 4},
		{"a minute of rest between", []int{0, 1, 2, 3, 4, 64}, 65, 0},
		{"five after a rest", []int{0, 1, 2, 3, 4, 100, 101, 102, 103, 104}, 105, 4},
	} {
		var d damping
		for _, at := range tt.flaps {
			d = d.flap(time.Duration(at) * time.Second)
		}
		if got := d.after(time.Duration(tt.up) * time.Second).penalty; got != time.Duration(tt.want)*time.Second {
			t.Errorf("%s: got %s, want %d s", tt.name, got, tt.want)
		}
	}
}
