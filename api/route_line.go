package api

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// line is a route of a list before it is written out, which is only done with
// what is on a page.
type line struct {
	own     vrf.Route
	since   time.Time
	given   bool  // the speaker has it
	failure error // why it does not

	received *vrf.Received // nil for one of our own

	best, multipath bool // in a network's table
}

func (l *line) key() vrf.Key {
	if l.received != nil {
		return l.received.Key
	}
	return l.own.Key
}

// source returns the neighbor that announced the route; "" for our own.
func (l *line) source() string {
	if l.received == nil {
		return ""
	}
	return inventory.NeighborName(l.received.Source.Neighbor)
}

// position is where a route stands in lists of the VPN tables: by key, our own
// first.
type position struct {
	key    vrf.Key
	source string
}

func (p position) compare(o position) int {
	if c := p.key.Compare(o.key); c != 0 {
		return c
	}
	return strings.Compare(p.source, o.source)
}

// ordered is a list in the order of positions. It yields what is at a key and
// behind it, and may yield more before.
type ordered func(from vrf.Key) iter.Seq[line]

// merge puts lists together. Among equal keys what is of the first list comes
// first.
func merge(lists ...ordered) ordered {
	if len(lists) == 1 {
		return lists[0]
	}
	return func(from vrf.Key) iter.Seq[line] {
		return func(yield func(line) bool) {
			type head struct {
				line
				next func() (line, bool)
			}
			var heads []head
			for _, list := range lists {
				next, stop := iter.Pull(list(from))
				defer stop()
				if l, ok := next(); ok {
					heads = append(heads, head{l, next})
				}
			}
			for len(heads) > 0 {
				least := 0
				for i := range heads {
					if heads[i].key().Compare(heads[least].key()) < 0 {
						least = i
					}
				}
				if !yield(heads[least].line) {
					return
				}
				var ok bool
				if heads[least].line, ok = heads[least].next(); !ok {
					heads = slices.Delete(heads, least, least+1)
				}
			}
		}
	}
}
