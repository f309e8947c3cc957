package linux

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/buoynet/buoy/internal/dataplane"
)

func isOurs(device string) bool { return strings.HasPrefix(device, dataplane.Prefix) }

// Read returns all that is there of ours.
func (k *Kernel) Read() (dataplane.Plan, error) {
	p := dataplane.Plan{}
	if err := k.readDevices(p); err != nil {
		return nil, err
	}
	if err := k.readListeners(p); err != nil {
		return nil, err
	}
	rules, err := k.readRuleset()
	if err != nil {
		return nil, err
	}
	if rules != nil {
		p[rules.Key()] = *rules
		if err := k.readElements(p); err != nil {
			return nil, err
		}
	}
	if err := k.readRoutes(p); err != nil {
		return nil, err
	}
	return p, k.readRules(p)
}

// Apply carries out steps, in their order, up to the first that fails. What goes wrong
// with one workload, like an interface that has just gone, does not stop the others: those
// errors are returned at the end, joined.
func (k *Kernel) Apply(steps []dataplane.Step) error {
	var failed []error
	for len(steps) > 0 {
		n := elementsOf(steps)
		if n > 0 {
			if err := k.setElements(steps[:n]); err != nil {
				return err
			}
			steps = steps[n:]
			continue
		}
		err := k.apply(steps[0])
		if _, workload := steps[0].New.(dataplane.FixedRoute); err != nil && !workload {
			return errors.Join(append(failed, err)...)
		} else if err != nil {
			failed = append(failed, err)
		}
		steps = steps[1:]
	}
	return errors.Join(failed...)
}

// elementsOf returns how many steps there are about elements before another one, or before
// the first that removes: what is new is in place before.
func elementsOf(steps []dataplane.Step) (n int) {
	for ; n < len(steps); n++ {
		item := steps[n].New
		if item == nil {
			item = steps[n].Old
		}
		if _, ok := item.(dataplane.Element); !ok || (steps[n].New == nil) != (steps[0].New == nil) {
			break
		}
	}
	return n
}

func (k *Kernel) apply(s dataplane.Step) error {
	if s.New == nil {
		return k.remove(s.Old)
	}
	switch i := s.New.(type) {
	case dataplane.Pair:
		return k.setPair()
	case dataplane.Listener:
		return k.setListener(i)
	case dataplane.Tunnel:
		return k.setTunnel(i)
	case dataplane.Ruleset:
		return k.setRuleset(i)
	case dataplane.FixedRoute:
		return k.setFixedRoute(i)
	case dataplane.GatewayRoute:
		return k.setRoute(i, func() (*netlink.Route, error) { return k.gatewayRoute(i) })
	case dataplane.Rule:
		return k.setRule(i)
	case dataplane.Label:
		return k.setRoute(i, func() (*netlink.Route, error) { return k.label(i) })
	}
	return fmt.Errorf("%s: no kernel has a %T", s, s.New)
}

func (k *Kernel) remove(i dataplane.Item) error {
	switch i := i.(type) {
	case dataplane.Pair:
		return k.removeDevice(dataplane.PopDevice)
	case dataplane.Listener:
		return k.removeListener(i)
	case dataplane.Tunnel:
		return k.removeDevice(i.Name)
	case dataplane.Ruleset:
		return k.removeTables()
	case dataplane.FixedRoute:
		return k.removeRoute(i.Table, netip.PrefixFrom(i.Address, i.Address.BitLen()))
	case dataplane.GatewayRoute:
		return k.removeRoute(i.Table, i.Prefix)
	case dataplane.Rule:
		return k.removeRule(i)
	case dataplane.Label:
		return k.removeLabel(i)
	}
	return fmt.Errorf("remove %s: no kernel has a %T", i, i)
}

func (k *Kernel) removeTables() error {
	k.nft.AddTable(netdevTable()) // so that there is one to remove
	k.nft.DelTable(netdevTable())
	k.nft.DelTable(inetTable())
	if err := k.nft.Flush(); err != nil {
		return fmt.Errorf("remove the nftables tables: %w", err)
	}
	return nil
}

// Cleanup removes all that is ours.
func (k *Kernel) Cleanup() (removed []dataplane.Step, err error) {
	found, err := k.Read()
	if err != nil {
		return nil, err
	}
	removed = dataplane.Diff(found, nil)
	if err := k.Apply(removed); err != nil {
		return nil, err
	}
	// Ends of a pair that was damaged were not found.
	if err := k.removeDevice(dataplane.PopDevice); err != nil {
		return nil, err
	}
	tables, err := k.nft.ListTablesOfFamily(nftables.TableFamilyNetdev)
	if err != nil {
		return nil, fmt.Errorf("list nftables tables: %w", err)
	}
	for _, t := range tables {
		if t.Name == tableName {
			k.nft.DelTable(t)
		}
	}
	return removed, k.nft.Flush()
}
