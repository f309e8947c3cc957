// Package ring keeps the last of many values that are numbered from 0 on, for
// readers that remember a number and read on behind it. It performs no I/O and
// takes no locks.
package ring

// Ring has the last values that were added, up to a limit. The zero value cannot
// be used.
type Ring[T any] struct {
	most   int
	values []T // the value with the number n is at n modulo most
	next   uint64
}

// New returns an empty ring for so many values at most.
func New[T any](most int) Ring[T] { return Ring[T]{most: most} }

// Next returns the number that the next value gets: how many were ever added.
func (r *Ring[T]) Next() uint64 { return r.next }

// First returns the number of the oldest value that is there, or Next if there is
// none.
func (r *Ring[T]) First() uint64 { return r.next - uint64(len(r.values)) }

// Has reports whether a reader can read on from a number: every value from there on
// is there.
func (r *Ring[T]) Has(number uint64) bool { return r.First() <= number && number <= r.next }

// At returns the value with a number from First on and below Next.
func (r *Ring[T]) At(number uint64) T { return r.values[number%uint64(r.most)] }

// Add adds a value, in place of the oldest one if there is no room.
func (r *Ring[T]) Add(value T) {
	if len(r.values) < r.most {
		r.values = append(r.values, value)
	} else {
		r.values[r.next%uint64(r.most)] = value
	}
	r.next++
}
