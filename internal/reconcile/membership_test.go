package reconcile

import (
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
)

// TestMembership checks that the speaker is told the union of the networks'
// imports, and only when the union changes. It does the same again with a loop
// that finds the networks there: a restart.
func TestMembership(t *testing.T) {
	const n1, n2, n3 = "projects/p/networks/n1", "projects/p/networks/n2", "projects/p/networks/n3"
	before := []inventory.Command{createNetwork(n1, "64512:1", "64512:2"), createNetwork(n2, "64512:2", "64512:3")}
	const auto = " target:64512:8000001 target:64512:8000002"
	imports := func(name string, list ...string) inventory.Command {
		return inventory.UpdateNetwork{Name: name, ImportTargets: ptr(targets(list...))}
	}
	steps := []struct {
		name    string
		command inventory.Command
		want    []string
	}{
		{"exports do not count", inventory.UpdateNetwork{Name: n1, ExportTargets: ptr(targets("64512:99"))}, nil},
		{"what another one imports already", imports(n1, "64512:1", "64512:2", "64512:3"), nil},
		{"one of two gives up", imports(n2, "64512:2"), nil},
		{"the last one gives up", imports(n1, "64512:1", "64512:2"), []string{"membership target:64512:1 target:64512:2" + auto}},
		{"both targets", inventory.UpdateNetwork{Name: n2, Targets: ptr(targets("64512:2"))}, nil},
		{"moved from import to both", inventory.UpdateNetwork{Name: n1, Targets: ptr(targets("64512:1")), ImportTargets: ptr(targets("64512:2"))}, nil},
		{"a third network", createNetwork(n3, "64512:1"), []string{"membership target:64512:1 target:64512:2" + auto + " target:64512:8000003"}},
		{"which goes", inventory.DeleteNetwork{Name: n3}, []string{"membership target:64512:1 target:64512:2" + auto}},
		{"the second one goes", inventory.DeleteNetwork{Name: n2}, []string{"membership target:64512:1 target:64512:2 target:64512:8000001"}},
		{"and the first one", inventory.DeleteNetwork{Name: n1}, []string{"membership"}},
	}
	all := "membership target:64512:1 target:64512:2 target:64512:3" + auto
	follow := func(w *world) {
		for _, step := range steps {
			w.do(step.command)
			w.expect(step.name, step.want...)
			w.settled()
		}
	}
	t.Run("from the start", func(t *testing.T) {
		run(t, func(w *world) {
			w.expect("empty", "membership", "neighbors")
			w.do(before...)
			w.expect("two networks", all)
			follow(w)
		})
	})
	t.Run("after a restart", func(t *testing.T) {
		run(t, func(w *world) {
			w.expect("two networks", all, "neighbors")
			follow(w)
		}, before...)
	})
}
