package reconcile

import (
	"fmt"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
)

// BenchmarkLiveness takes an interface down and up again, whose compute node has as
// many floating IPs as there are.
func BenchmarkLiveness(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			state := filled(b, n)
			for i := range n {
				f := floatingIP(i, 16)
				f.Associations[0].ComputeNode = nodeName(0)
				if _, err := state.Apply(2, []inventory.Change{change("fip/"+f.Name, f)}); err != nil {
					b.Fatal(err)
				}
			}
			l := started(b, state)
			lives := newLives()
			l.liveness = lives
			down := inventory.InterfaceDown
			for i := 0; b.Loop(); i++ {
				lives.is(nodeName(0), "tap5", down, 0)
				if down ^= inventory.InterfaceUp ^ inventory.InterfaceDown; !l.live(b.Context()) {
					b.Fatal("refused")
				}
				<-lives.wake
			}
		})
	}
}
