package vrf

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestDifferences: whatever differs between two sets, and nothing else.
func TestDifferences(t *testing.T) {
	mx1 := source("10.0.0.1")
	for range 300 {
		old := NewRIB()
		for range rand.IntN(60) {
			old.Set(heard(t, mx1, "1:1", fmt.Sprintf("10.%d.0.0/16", rand.IntN(80)), nil))
		}
		now := old.Copy()
		for range rand.IntN(30) {
			if r := heard(t, mx1, "1:1", fmt.Sprintf("10.%d.0.0/16", rand.IntN(80)), nil); rand.IntN(2) == 0 {
				now.Set(r)
			} else {
				now.Delete(r.Key)
			}
		}
		next := old.Copy()
		for was, is := range Differences(old, now) {
			switch {
			case was == is, was != nil && old.Get(was.Key) != was, is != nil && now.Get(is.Key) != is, was != nil && is != nil && was.Key != is.Key:
				t.Fatalf("%v became %v", was, is)
			case is == nil:
				next.Delete(was.Key)
			default:
				next.Set(is)
			}
		}
		if next.Len() != now.Len() {
			t.Fatalf("%d routes, want %d", next.Len(), now.Len())
		}
		for r := range now.All() {
			if next.Get(r.Key) != r {
				t.Fatalf("%s is missing", r.Key)
			}
		}
	}
}
