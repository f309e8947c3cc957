package inventory

import (
	"errors"
	"testing"
)

// TestDraft checks how the mutations of several commands become one commit.
func TestDraft(t *testing.T) {
	for _, tt := range []struct {
		name     string
		before   []Command // after those of floating, so from revision 8 on
		commands []Command
		want     []string
	}{
		{"nothing", nil, []Command{SeedGlobal{64512}}, nil},
		{"create and delete", nil, []Command{pool(poolA), BindPool{devBound, poolA}, UnbindPool{devBound}, DeletePool{poolA}}, []string{
			`check pool/projects/p/networks/public/pools/a@0`,
			`check network/projects/p/networks/public@2`,
			`none above pool/projects/p/networks/public/pools/@7`,
			`check binding/namespaces/dev/poolBinding@0`,
			`delete cursor/projects/p/networks/public/pools/a@any`,
			`none above binding/@7`,
			`none above addr/1/@7`}},
		{"create, delete and create", nil, []Command{
			allocate(fip("x"), public, "203.0.113.9"), Release{fip("x")}, allocate(fip("x"), public, "203.0.113.10")}, []string{
			`put fip/projects/p/floatingIps/x@0 {"name":"projects/p/floatingIps/x","network":"projects/p/networks/public","address":"203.0.113.10"}`,
			`check addr/1/203.0.113.9@0`,
			`check network/projects/p/networks/public@2`,
			`none above pool/projects/p/networks/public/pools/@7`,
			`put addr/1/203.0.113.10@0 projects/p/floatingIps/x`}},
		{"delete and create", nil, []Command{Release{web}, allocate(web, public, "203.0.113.5")}, []string{
			`put fip/projects/p/floatingIps/web@6 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"}`,
			`put addr/1/203.0.113.5@any projects/p/floatingIps/web`,
			`check network/projects/p/networks/public@2`,
			`none above pool/projects/p/networks/public/pools/@7`}},
		{"delete, create and delete", nil, []Command{DeleteComputeNode{cmp1}, node(cmp1, "10.0.0.11"), DeleteComputeNode{cmp1}}, []string{
			`delete node/computeNodes/cmp1@4`,
			`delete nodeaddr/10.0.0.11@any`,
			`delete routerid/10.0.0.11@any`,
			`none above iface/cmp1/@7`,
			`none above resting/cmp1/@7`}},
		{"an address from hand to hand", nil, []Command{Release{web}, Release{mail},
			allocate(web, public, "203.0.113.6"), allocate(mail, public, "203.0.113.5")}, []string{
			`put fip/projects/p/floatingIps/web@6 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.6"}`,
			`put addr/1/203.0.113.5@any projects/p/floatingIps/mail`,
			`put fip/projects/p/floatingIps/mail@7 {"name":"projects/p/floatingIps/mail","network":"projects/p/networks/public","address":"203.0.113.5"}`,
			`put addr/1/203.0.113.6@any projects/p/floatingIps/web`,
			`check network/projects/p/networks/public@2`,
			`none above pool/projects/p/networks/public/pools/@7`}},
		{"change upon change", nil, []Command{UpdateNetwork{Name: public, Targets: ptr(targets("1:1"))}, UpdateNetwork{Name: public, ImportTargets: ptr(targets("1:1", "1:2"))}}, []string{
			`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"target:1:1","import_targets":"target:1:2","export_targets":"","encapsulations":""}`,
			`check global@3`}},
		{"a check and then a change", nil, []Command{Allocate{Name: fip("x"), Network: public}, UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/29"))}}, []string{
			`put fip/projects/p/floatingIps/x@0 {"name":"projects/p/floatingIps/x","network":"projects/p/networks/public","address":"203.0.113.1"}`,
			`put addr/1/203.0.113.1@0 projects/p/floatingIps/x`,
			`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/29"],"targets":"","import_targets":"","export_targets":"","encapsulations":""}`,
			`none above pool/projects/p/networks/public/pools/@7`,
			`put cursor/projects/p/networks/public@any {"ipv4":"203.0.113.2"}`,
			`none above addr/1/@7`}},
		{"a label in, out, and in again", []Command{associate(mail, cmp1, "tap9", 100)}, []Command{
			associate(web, cmp1, "tap0", 200_000), Disassociate{Name: web}, associate(web, cmp1, "tap0", 0)}, []string{
			`put iface/cmp1/tap0@0 {"label":200000,"users":1}`,
			`put label/cmp1/200000@0 tap0`,
			`check resting/cmp1/200000@0`,
			`put fip/projects/p/floatingIps/web@6 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":200000}]}`,
			`check node/computeNodes/cmp1@4`}},
		{"a label in and out", nil, []Command{associate(web, cmp1, "tap0", 200_000), Disassociate{Name: web}}, []string{
			`check iface/cmp1/tap0@0`,
			`check label/cmp1/200000@0`,
			`put resting/cmp1/200000@0 {"interface":"tap0","released":1000000000}`,
			`put fip/projects/p/floatingIps/web@6 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"}`,
			`check node/computeNodes/cmp1@4`}},
		{"out, and another moves in", []Command{associate(web, cmp1, "tap0", 100), associate(mail, cmp2, "tap0", 100)}, []Command{
			Disassociate{Name: web}, Move{Name: mail, Association: associate(mail, cmp1, "tap1", 100).Association}}, []string{
			`put fip/projects/p/floatingIps/web@8 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"}`,
			`delete iface/cmp1/tap0@8`,
			`put label/cmp1/100@any tap1`,
			`check node/computeNodes/cmp1@4`,
			`put fip/projects/p/floatingIps/mail@9 {"name":"projects/p/floatingIps/mail","network":"projects/p/networks/public","address":"203.0.113.6","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap1","fixed_ip":"10.47.0.5","label":100}]}`,
			`delete iface/cmp2/tap0@9`,
			`delete label/cmp2/100@any`,
			`check node/computeNodes/cmp2@5`,
			`put iface/cmp1/tap1@0 {"label":100,"users":1}`,
			`check resting/cmp1/100@0`}},
		{"a network comes and goes", nil, []Command{external("projects/p/networks/x", "203.0.113.0/29"),
			Allocate{Name: fip("x"), Pool: "projects/p/networks/x/pools/public"}, Release{fip("x")}, DeleteNetwork{"projects/p/networks/x"}}, []string{
			`check network/projects/p/networks/x@0`,
			`check netid/3@0`,
			`put global@3 {"as":64512,"next_network_id":4}`,
			`check pool/projects/p/networks/x/pools/public@0`,
			`check fip/projects/p/floatingIps/x@0`,
			`check addr/3/203.0.113.1@0`,
			`delete cursor/projects/p/networks/x/pools/public@any`,
			`delete cursor/projects/p/networks/x@any`,
			`none above addr/3/@7`,
			`none above pool/projects/p/networks/x/pools/@7`,
			`none above binding/@7`}},
		{"another AS", nil, []Command{UpdateNetwork{Name: public, Targets: ptr(targets("65000:1"))}, SetGlobal{65000}, UpdateNetwork{Name: public, Targets: ptr(targets("64512:8000001"))}, SetGlobal{65001}}, []string{
			`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/24"],"targets":"target:64512:8000001","import_targets":"","export_targets":"","encapsulations":""}`,
			`put global@3 {"as":65001,"next_network_id":3}`,
			`none above network/@7`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := floating(t)
			w.TB = t
			w.do(tt.before...)
			before := dump(w.state)
			mutations := w.draft(tt.commands...)
			w.mutates("merged", mutations, tt.want...)
			if got := dump(w.state); got != before {
				t.Errorf("the draft has changed the state:\n got %s\nwant %s", got, before)
			}
			w.commit(mutations)
			one := floating(t) // and now one after another
			one.do(tt.before...)
			one.do(tt.commands...)
			for key, want := range one.store.keys {
				if got := w.store.keys[key]; got.value != want.value {
					t.Errorf("%s = %s, want %s", key, got.value, want.value)
				}
			}
			if len(w.store.keys) != len(one.store.keys) {
				t.Errorf("%d keys, want %d", len(w.store.keys), len(one.store.keys))
			}
			if got, want := dump(w.state), dump(w.restarted()); got != want {
				t.Errorf("the state:\n got %s\nwant %s", got, want)
			}
		})
	}
}

// TestDraftRefusal goes on after a refused command as if there had been none.
func TestDraftRefusal(t *testing.T) {
	w := floating(t)
	with, without := NewDraft(w.state, w.now), NewDraft(w.state, w.now)
	for _, tt := range []struct {
		command Command
		reason  string
	}{
		{allocate(fip("x"), public, "203.0.113.5"), ReasonAddressTaken},
		{Release{web}, ""},
		{allocate(fip("x"), public, "203.0.113.5"), ""},
		{allocate(web, public, "203.0.113.5"), ReasonAddressTaken}, // by one that is not committed
		{associate(fip("x"), cmp1, "tap0", 100), ""},
		{Move{Name: fip("x"), Association: associate(fip("x"), cmp2, "tap/", 0).Association}, ReasonInvalid},
		{associate(mail, cmp1, "tap1", 100), ReasonLabelTaken},
		{DeleteComputeNode{cmp1}, ReasonInUse},
		{DeleteNetwork{public}, ReasonInUse},
		{DeleteComputeNode{cmp2}, ""},
		{Move{Name: fip("x"), Association: associate(fip("x"), cmp2, "tap1", 0).Association}, ReasonNotFound},
	} {
		err := with.Do(tt.command)
		var refused *Error
		if errors.As(err, &refused) != (tt.reason != "") || refused != nil && refused.Reason != tt.reason {
			t.Errorf("%T%+[1]v: %v, want %q", tt.command, err, tt.reason)
		}
		if tt.reason == "" {
			if err := without.Do(tt.command); err != nil {
				t.Error(err)
			}
		}
		a, err := with.State()
		if err != nil {
			t.Fatal(err)
		}
		b, err := without.State()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := dump(a), dump(b); got != want {
			t.Fatalf("after %T:\n got %s\nwant %s", tt.command, got, want)
		}
	}
	if got, want := text(with.Mutations()), text(without.Mutations()); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	w.commit(with.Mutations())
}
