package main

import "testing"

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		n    uint64
		want string
	}{
		{0, "0"},
		{252, "252"},
		{1<<53 - 1, "9007199254740991"},
		{1 << 53, "9e+15"},
		{1<<64 - 1, "1.8e+19"},
	} {
		if got := size(tt.n); got != tt.want {
			t.Errorf("%d: got %s, want %s", tt.n, got, tt.want)
		}
	}
}
