package ipam

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// Ranges is an immutable set of addresses. It is kept as sorted ranges with a
// gap between each two, IPv4 before IPv6, so equal sets have equal ranges. The
// zero value is empty.
type Ranges struct {
	list []Range
}

// mapped is the IPv4-mapped IPv6 addresses, which are in no set.
var mapped = RangeOf(netip.MustParsePrefix("::ffff:0:0/96"))

// NewRanges returns the addresses that are in any of the given ranges. Invalid
// ranges are left out.
func NewRanges(list ...Range) Ranges {
	sorted := make([]Range, 0, len(list)+1)
	for _, r := range list {
		switch {
		case !r.IsValid():
		case r.First.Less(mapped.First) && mapped.Last.Less(r.Last):
			sorted = append(sorted, Range{r.First, mapped.First.Prev()}, Range{mapped.Last.Next(), r.Last})
		default:
			sorted = append(sorted, r)
		}
	}
	slices.SortFunc(sorted, func(a, b Range) int { return a.First.Compare(b.First) })
	joined := sorted[:0]
	for _, r := range sorted {
		i := len(joined) - 1
		if i < 0 || !follows(r, joined[i]) {
			joined = append(joined, r)
		} else if joined[i].Last.Less(r.Last) {
			joined[i].Last = r.Last
		}
	}
	return Ranges{joined}
}

// follows reports whether r, which does not begin before o, overlaps it or
// begins right after it. The last IPv4 address has no next one.
func follows(r, o Range) bool { return !o.Last.Less(r.First) || o.Last.Next() == r.First }

// Union returns the addresses that are in either set.
func (r Ranges) Union(o Ranges) Ranges { return NewRanges(slices.Concat(r.list, o.list)...) }

// Minus returns the addresses of r that are not in o.
func (r Ranges) Minus(o Ranges) Ranges {
	var left []Range
	cuts := o.list
	for _, rest := range r.list {
		for len(cuts) > 0 && cuts[0].Last.Less(rest.First) {
			cuts = cuts[1:]
		}
		for _, cut := range cuts {
			if !cut.Overlaps(rest) {
				break
			}
			if rest.First.Less(cut.First) {
				left = append(left, Range{rest.First, cut.First.Prev()})
			}
			if !cut.Last.Less(rest.Last) {
				rest = Range{}
				break
			}
			rest.First = cut.Last.Next() // there is one: rest.Last is behind it
		}
		if rest.IsValid() {
			left = append(left, rest)
		}
	}
	return Ranges{left}
}

// Contains reports whether a is in the set.
func (r Ranges) Contains(a netip.Addr) bool {
	i := r.search(a)
	return i < len(r.list) && r.list[i].Contains(a)
}

// search returns the index of the first range that does not end before a.
func (r Ranges) search(a netip.Addr) int {
	return sort.Search(len(r.list), func(i int) bool { return !r.list[i].Last.Less(a) })
}

// Covers reports whether every address of o is in r.
func (r Ranges) Covers(o Ranges) bool {
	for _, want := range o.list {
		i := r.search(want.First)
		if i == len(r.list) || !r.list[i].Contains(want.First) || !r.list[i].Contains(want.Last) {
			return false
		}
	}
	return true
}

// Overlap returns the first range that the sets have in common. It reports
// false when there is none.
func (r Ranges) Overlap(o Ranges) (Range, bool) {
	a, b := r.list, o.list
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Last.Less(b[0].First):
			a = a[1:]
		case b[0].Last.Less(a[0].First):
			b = b[1:]
		default:
			common := a[0]
			if common.First.Less(b[0].First) {
				common.First = b[0].First
			}
			if b[0].Last.Less(common.Last) {
				common.Last = b[0].Last
			}
			return common, true
		}
	}
	return Range{}, false
}

// Family returns the IPv6 addresses of the set, or the IPv4 ones.
func (r Ranges) Family(v6 bool) Ranges {
	i := sort.Search(len(r.list), func(i int) bool { return r.list[i].First.Is6() })
	if v6 {
		return Ranges{r.list[i:]}
	}
	return Ranges{r.list[:i]}
}

// IsEmpty reports whether the set has no address.
func (r Ranges) IsEmpty() bool { return len(r.list) == 0 }

// Len returns the number of ranges.
func (r Ranges) Len() int { return len(r.list) }

// All yields the ranges in order.
func (r Ranges) All() iter.Seq[Range] { return slices.Values(r.list) }

// Size returns the number of addresses, at most math.MaxUint64.
func (r Ranges) Size() (n uint64) {
	for _, x := range r.list {
		n = addSaturating(n, x.Size())
	}
	return n
}

// Equal reports whether the sets have the same addresses.
func (r Ranges) Equal(o Ranges) bool { return slices.Equal(r.list, o.list) }

// String returns the ranges separated by ", ".
func (r Ranges) String() string {
	texts := make([]string, 0, len(r.list))
	for _, x := range r.list {
		texts = append(texts, x.String())
	}
	return strings.Join(texts, ", ")
}
