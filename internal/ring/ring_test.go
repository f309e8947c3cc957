package ring

import "testing"

// TestRing compares with a list of everything.
func TestRing(t *testing.T) {
	const most = 5
	r := New[int](most)
	var all []int
	for n := range 4 * most {
		first := max(len(all)-most, 0)
		if int(r.First()) != first || int(r.Next()) != len(all) {
			t.Fatalf("after %d: from %d to %d, want from %d to %d", n, r.First(), r.Next(), first, len(all))
		}
		for number := range uint64(len(all) + 3) {
			if has := int(number) >= first && int(number) <= len(all); r.Has(number) != has {
				t.Fatalf("after %d: Has(%d) = %t", n, number, !has)
			}
		}
		for number := r.First(); number < r.Next(); number++ {
			if got := r.At(number); got != all[number] {
				t.Fatalf("after %d: At(%d) = %d, want %d", n, number, got, all[number])
			}
		}
		r.Add(10 * n)
		all = append(all, 10*n)
	}
}
