package inventory

import (
	"testing"
)

func TestMove(t *testing.T) {
	w := labelled(t, 100, 109)
	to := func(node, iface string, i int) Move {
		return Move{Name: fip(i), Association: associate(fip(i), node, iface, 0).Association}
	}
	w.do(associate(fip(0), cmp1, "tap0", 0))
	const fip0 = `put fip/projects/p/floatingIps/0@15 {"name":"projects/p/floatingIps/0","network":"projects/p/networks/public","address":"203.0.113.1","associations":[{"compute_node":"computeNodes/`
	w.planned("to another node", to(cmp2, "tap9", 0),
		fip0+`cmp2","interface":"tap9","fixed_ip":"10.47.0.5","label":100000}]}`,
		`delete iface/cmp1/tap0@15`,
		`delete label/cmp1/100@any`,
		`check node/computeNodes/cmp1@3`,
		`put resting/cmp1/100@any {"interface":"tap0","released":1000000000}`,
		`put iface/cmp2/tap9@0 {"label":100000,"users":1}`,
		`put label/cmp2/100000@0 tap9`,
		`check resting/cmp2/100000@0`,
		`check node/computeNodes/cmp2@4`)
	w.planned("to another interface", to(cmp1, "tap1", 0),
		fip0+`cmp1","interface":"tap1","fixed_ip":"10.47.0.5","label":101}]}`,
		`delete iface/cmp1/tap0@15`,
		`delete label/cmp1/100@any`,
		`check node/computeNodes/cmp1@3`,
		`put resting/cmp1/100@any {"interface":"tap0","released":1000000000}`,
		`put iface/cmp1/tap1@0 {"label":101,"users":1}`,
		`put label/cmp1/101@0 tap1`,
		`check resting/cmp1/101@0`)
	same := to(cmp1, "tap0", 0)
	same.Association.Preferred = true
	w.planned("to the same interface", same,
		fip0+`cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100,"preferred":true}]}`,
		`put iface/cmp1/tap0@15 {"label":100,"users":1}`,
		`put label/cmp1/100@any tap0`,
		`check node/computeNodes/cmp1@3`,
		`delete resting/cmp1/100@any`)
	relabelled := to(cmp1, "tap0", 0)
	relabelled.Association.Label = 105
	w.planned("to another label", relabelled,
		fip0+`cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":105}]}`,
		`put iface/cmp1/tap0@15 {"label":105,"users":1}`,
		`delete label/cmp1/100@any`,
		`check node/computeNodes/cmp1@3`,
		`put resting/cmp1/100@any {"interface":"tap0","released":1000000000}`,
		`put label/cmp1/105@0 tap0`,
		`check resting/cmp1/105@0`)
	w.do(associate(fip(1), cmp1, "tap0", 0))
	w.planned("the same interface, with others", same,
		fip0+`cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100,"preferred":true}]}`,
		`put iface/cmp1/tap0@16 {"label":100,"users":2}`,
		`check node/computeNodes/cmp1@3`)
	for _, c := range []Move{same, to(cmp2, "tap0", 0), to(cmp1, "tap0", 0), to(cmp1, "tap1", 1), to(cmp1, "tap1", 0), to(cmp1, "tap0", 1)} {
		w.do(c)
		if got, want := dump(w.state), dump(w.restarted()); got != want {
			t.Fatalf("%+v:\n got %s\nwant %s", c, got, want)
		}
	}
}

func TestMoveOfSeveral(t *testing.T) {
	w := labelled(t, 100, 109)
	w.do(node("computeNodes/cmp3", "10.0.0.13"), associate(fip(0), cmp1, "tap0", 0), associate(fip(0), cmp2, "tap0", 0))
	move := func(from, to string) Move {
		return Move{Name: fip(0), From: from, Association: associate(fip(0), to, "tap7", 0).Association}
	}
	const places = "interface tap0 of computeNodes/cmp1, interface tap0 of computeNodes/cmp2"
	before := dump(w.state)
	for _, tt := range []struct {
		name    string
		command Move
		want    Error
	}{
		{"unknown", Move{Name: fip("none")}, Error{NotFound, ReasonNotFound, "name", fip("none"), fip("none") + " does not exist"}},
		{"not associated", Move{Name: fip(1), Association: move("", cmp1).Association}, Error{FailedPrecondition, ReasonNotAssociated, "name", fip(1),
			fip(1) + " is not associated with a compute node; associate it"}},
		{"from where", move("", "computeNodes/cmp3"), Error{FailedPrecondition, ReasonAmbiguous, "from", fip(0),
			fip(0) + " is associated with " + places + "; name the compute node to leave"}},
		{"not from there", move("computeNodes/cmp3", cmp1), Error{FailedPrecondition, ReasonNotAssociated, "from", fip(0),
			fip(0) + " is not associated with computeNodes/cmp3, but with " + places}},
		{"onto another association", move(cmp1, cmp2), Error{AlreadyExists, ReasonAssociated, "compute_node", fip(0),
			fip(0) + " is associated with computeNodes/cmp2 already, interface tap0; disassociate it, or move it"}},
		{"to no node", move(cmp1, "computeNodes/none"), Error{NotFound, ReasonNotFound, "compute_node", "computeNodes/none", "computeNodes/none does not exist"}},
		{"to no interface", Move{Name: fip(0), From: cmp1, Association: Association{ComputeNode: cmp1, FixedIP: addr("10.0.0.1")}},
			Error{InvalidArgument, ReasonInvalid, "interface", "", "expected the name of an interface, 1..64 characters, got 0"}},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
	if got := dump(w.state); got != before {
		t.Errorf("a failure has changed the state:\n got %s\nwant %s", got, before)
	}
	w.do(move(cmp1, "computeNodes/cmp3"))
	f, _ := w.state.FloatingIP(fip(0))
	if len(f.Associations) != 2 || f.Associations[0].ComputeNode != cmp2 || f.Associations[1].ComputeNode != "computeNodes/cmp3" {
		t.Errorf("got %+v", f)
	}
	// Its label stays behind, at rest, and another interface's is not taken.
	label := move(cmp2, cmp1)
	label.Association.Label = 100
	w.refused("to a resting label", label, Error{FailedPrecondition, ReasonLabelResting, "label", cmp1,
		"interface tap0 of computeNodes/cmp1 had 100 until a moment ago; it rests for another 1m0s, since gateways may still send to it"})
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}
