package ring

import "testing"

func TestParsePosition(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "abc-", "abc-x", "abc--1", "abc-99999999999999999999"} {
		if p, err := ParsePosition(text); err == nil {
			t.Errorf("%q: got %v", text, p)
		}
	}
	want := Position{"abc", 1<<64 - 1}
	if p, err := ParsePosition(want.String()); err != nil || p != want {
		t.Errorf("got %v, %v, want %v", p, err, want)
	}
}
