package explain

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
)

// mostNear is how many subnets are worth a look.
const mostNear = 3

// near returns the subnets that have most in common with an address, of those that
// the asking project may see.
func (a *answer) near(addr netip.Addr) (texts []string) {
	type subnet struct {
		prefix netip.Prefix
		of     string
		common int
	}
	var list []subnet
	for n := range a.State.Networks() {
		if !a.State.Visible(a.q.Project, n.Name) {
			continue
		}
		for _, p := range n.Subnets {
			if p.Addr().Is4() != addr.Is4() {
				continue
			}
			list = append(list, subnet{p, n.Name, min(common(p.Addr(), addr), p.Bits())})
			slices.SortStableFunc(list, func(a, b subnet) int { return cmp.Compare(b.common, a.common) })
			list = list[:min(len(list), mostNear)]
		}
	}
	for _, s := range list {
		texts = append(texts, fmt.Sprintf("%s of %s", s.prefix, inventory.ShortName(s.of)))
	}
	return texts
}

// common returns how many of their first bits two addresses of a family share.
func common(a, b netip.Addr) (n int) {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range x {
		if x[i] != y[i] {
			return n + bits.LeadingZeros8(x[i]^y[i])
		}
		n += 8
	}
	return n
}
