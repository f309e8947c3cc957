package linux

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"github.com/buoynet/buoy/internal/dataplane"
)

// tableName is that of our tables, in the families inet and netdev.
const tableName = "buoy"

// The bits of ct state, as the kernel counts them.
const (
	ctInvalid = 1
	ctRelated = 4
)

// chain is one of the table inet buoy. Only those with a hook see packets by themselves.
type chain struct {
	name     string
	hook     *nftables.ChainHook
	priority *nftables.ChainPriority
	kind     nftables.ChainType
	rules    []rule
}

// chains are all of them, in an order in which each may name those before.
func chains(s dataplane.Ruleset) []chain {
	in := dataplane.InDevice
	incoming := chain{name: "incoming"} // behind a label: nothing but floating IPs of that label comes in
	outgoing := chain{name: "outgoing"} // what workloads send
	admit := chain{name: "admit"}
	decide := chain{name: "decide", hook: nftables.ChainHookPrerouting, priority: nftables.ChainPriorityMangle, kind: nftables.ChainTypeFilter}
	dnat := chain{name: "dnat", hook: nftables.ChainHookPrerouting, priority: nftables.ChainPriorityNATDest, kind: nftables.ChainTypeNAT}
	snat := chain{name: "snat", hook: nftables.ChainHookPostrouting, priority: nftables.ChainPriorityNATSource, kind: nftables.ChainTypeNAT}
	forward := chain{name: "forward", hook: nftables.ChainHookForward, priority: nftables.ChainPriorityMangle, kind: nftables.ChainTypeFilter}
	arrive := chain{name: "arrive", hook: nftables.ChainHookPrerouting, priority: nftables.ChainPriorityRaw, kind: nftables.ChainTypeFilter,
		rules: []rule{
			rule{}.in(in).jump("incoming"),
			rule{}.in(in).verdict(expr.VerdictAccept),
			rule{}.meta(expr.MetaKeyIIFNAME, r0).equal([]byte(dataplane.Prefix)).verdict(expr.VerdictDrop), // out of a tunnel without a label
			rule{}.jump("outgoing"),
		}}

	for _, v4 := range []bool{true, false} {
		incoming.rules = append(incoming.rules, rule{}.marked(dataplane.Floating, v4, false, scratch).setMark(scratch))
	}
	incoming.rules = append(incoming.rules, rule{}.meta(expr.MetaKeyMARK, r0).masked(dataplane.NetworkMask).equal(native(0)).verdict(expr.VerdictDrop))
	// The answers to what a workload has opened go by what it has opened. Errors go with
	// their connection. Anything else must be let in.
	admit.rules = append(admit.rules,
		rule{}.state(ctInvalid).verdict(expr.VerdictDrop),
		rule{}.state(ctRelated).verdict(expr.VerdictAccept),
		rule{}.answers().verdict(expr.VerdictAccept))
	decide.rules = append(decide.rules,
		rule{}.in(in).jump("admit"),
		rule{}.in(in).verdict(expr.VerdictDrop),
		rule{}.meta(expr.MetaKeyMARK, r0).masked(dataplane.TagMask).unequal(native(dataplane.Tag)).verdict(expr.VerdictAccept),
		rule{}.answers().ct(expr.CtKeyMARK).masked(dataplane.TagMask).equal(native(dataplane.Tag)).ct(expr.CtKeyMARK).setMark(r0).verdict(expr.VerdictAccept),
		rule{}.answers().noMark().verdict(expr.VerdictAccept)) // of a connection from the node's own network
	// A fixed IP must not get out, nor an answer go another way than the question came, nor
	// what is for a workload whose interface is down go back to the gateway.
	forward.rules = append(forward.rules,
		rule{}.in(in).tunnel(true).verdict(expr.VerdictDrop),
		rule{}.tunnel(true).state(ctInvalid).verdict(expr.VerdictDrop),
		rule{}.tunnel(false).ours().answers().ct(expr.CtKeyMARK).masked(dataplane.TagMask).equal(native(dataplane.Tag)).verdict(expr.VerdictDrop))

	for _, v4 := range []bool{true, false} {
		outgoing.rules = append(outgoing.rules,
			rule{}.family(v4).meta(expr.MetaKeyIIFNAME, r0).address(v4, true, r0+4).lookup(dataplane.From, v4, scratch).setMark(scratch),
			rule{}.marked(dataplane.Zone, v4, true, scratch).setCt(expr.CtKeyZONE, scratch))
		incoming.rules = append(incoming.rules, rule{}.marked(dataplane.Zone, v4, false, scratch).setCt(expr.CtKeyZONE, scratch))
		remember := func(r rule) rule {
			return r.meta(expr.MetaKeyMARK, r0).setCt(expr.CtKeyMARK, r0).verdict(expr.VerdictAccept)
		}
		admit.rules = append(admit.rules,
			remember(rule{}.port(v4, r0)),
			remember(rule{}.marked(dataplane.In, v4, false, r0)))
		decide.rules = append(decide.rules, rule{}.marked(dataplane.Out, v4, true, r0).verdict(expr.VerdictAccept))
		dnat.rules = append(dnat.rules,
			rule{}.in(in).port(v4, r0).nat(expr.NATTypeDestNAT, v4, true),
			rule{}.in(in).marked(dataplane.In, v4, false, r0).nat(expr.NATTypeDestNAT, v4, false))
		snat.rules = append(snat.rules, rule{}.tunnel(true).marked(dataplane.Out, v4, true, r0).nat(expr.NATTypeSourceNAT, v4, false))
		forward.rules = append(forward.rules,
			rule{}.in(in).clamp(v4, s.MSS(v4)),
			rule{}.tunnel(true).clamp(v4, s.MSS(v4)))
	}
	decide.rules = append(decide.rules, rule{}.noMark()) // it opens a connection, and no floating IP is for that
	return []chain{incoming, outgoing, admit, arrive, decide, dnat, snat, forward}
}

// ingress is the one rule of a tunnel's chain: the label becomes the mark. What has no
// label is dropped later, in arrive: nft 1.0.6 dies listing a rule that compares the
// protocol with MPLS and then looks into the packet.
var ingress = rule{
	&expr.Payload{DestRegister: r0, Base: expr.PayloadBaseNetworkHeader, Offset: 0, Len: 4},
	&expr.Byteorder{SourceRegister: r0, DestRegister: r0, Op: expr.ByteorderNtoh, Len: 4, Size: 4},
	// The label is in the same bits there (RFC 3032 §2.1).
	&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4, Mask: native(0xfffff000), Xor: native(dataplane.Tag)},
	&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: r0},
}

func inetTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
}

func netdevTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyNetdev}
}

// marker is a chain without a hook whose only rule says, in its comment, which rules these are.
const marker = "version"

// setRuleset makes the table, or puts its rules right: in one transaction, so that each
// packet meets the old ones or the new ones. The maps keep what they have.
func (k *Kernel) setRuleset(s dataplane.Ruleset) error {
	table := k.nft.AddTable(inetTable())
	for _, m := range dataplane.Maps {
		for _, v4 := range []bool{true, false} {
			if err := k.nft.AddSet(setOf(m, v4), nil); err != nil {
				return fmt.Errorf("nftables map %s: %w", mapName(m, v4), err)
			}
		}
	}
	list := chains(s)
	for _, c := range list {
		at := &nftables.Chain{Table: table, Name: c.name, Hooknum: c.hook, Priority: c.priority, Type: c.kind}
		k.nft.AddChain(at)
		k.nft.FlushChain(at)
	}
	for _, c := range list {
		at := &nftables.Chain{Table: table, Name: c.name}
		for _, r := range c.rules {
			k.nft.AddRule(&nftables.Rule{Table: table, Chain: at, Exprs: r})
		}
	}
	at := k.nft.AddChain(&nftables.Chain{Table: table, Name: marker})
	k.nft.FlushChain(at)
	k.nft.AddRule(&nftables.Rule{Table: table, Chain: at, Exprs: []expr.Any{&expr.Counter{}},
		UserData: userdata.AppendString(nil, userdata.TypeComment, versionOf(s))})
	if err := k.nft.Flush(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	return nil
}

// versionOf says which rules there are, and for which MTU.
func versionOf(s dataplane.Ruleset) string {
	h := fnv.New64a()
	for _, c := range chains(s) {
		fmt.Fprintln(h, c.name, len(c.rules))
		for _, r := range c.rules {
			for _, e := range r {
				fmt.Fprintf(h, "%T%+v;", e, e)
			}
		}
	}
	return fmt.Sprintf("rules %x mtu %d", h.Sum64(), s.MTU)
}

// readRuleset returns nil if there is no table, and one of no MTU if it has other rules.
func (k *Kernel) readRuleset() (*dataplane.Ruleset, error) {
	tables, err := k.nft.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, fmt.Errorf("list nftables tables: %w", err)
	}
	there := false
	for _, t := range tables {
		there = there || t.Name == tableName
	}
	if !there {
		return nil, nil
	}
	other := &dataplane.Ruleset{}
	rules, err := k.nft.GetRules(inetTable(), &nftables.Chain{Name: marker})
	if err != nil || len(rules) != 1 {
		return other, nil
	}
	text, _ := userdata.GetString(rules[0].UserData, userdata.TypeComment)
	_, number, _ := strings.Cut(text, " mtu ")
	mtu, err := strconv.Atoi(number)
	s := dataplane.Ruleset{MTU: mtu}
	if err != nil || versionOf(s) != text {
		return other, nil
	}
	for _, c := range chains(s) {
		rules, err := k.nft.GetRules(inetTable(), &nftables.Chain{Name: c.name})
		if err != nil || len(rules) != len(c.rules) {
			return other, nil
		}
	}
	return &s, nil
}
