package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/vrf"
)

// awaitRoute waits until the gateway's own tables have the route exactly.
func (d *demo) awaitRoute(ctx context.Context) error {
	began := time.Now()
	err := lab.Poll(ctx, "the gateway should learn "+wanted.Key(), func(ctx context.Context) error {
		vpn, imported, err := d.find(ctx)
		switch {
		case err != nil:
			return err
		case vpn == nil:
			return fmt.Errorf("it is not in the VPN table")
		case vpn.String() != wanted.String():
			return fmt.Errorf("the VPN table has\n  %s\nand should have\n  %s", vpn, wanted)
		case imported == nil:
			return fmt.Errorf("it is not in the VRF %s", vrfName)
		case imported.NextHop != wanted.NextHop:
			return fmt.Errorf("the VRF %s has the next hop %s, not %s", vrfName, imported.NextHop, wanted.NextHop)
		}
		return nil
	})
	if err == nil {
		table := "VRF " + vrfName
		if d.noVRF != nil {
			table = "VPN table"
		}
		fmt.Printf("The gateway's %s has the route, %d ms later.\n", table, time.Since(began).Milliseconds())
	}
	return err
}

// awaitLoss waits until none of the gateway's tables has the route.
func (d *demo) awaitLoss(ctx context.Context) error {
	err := lab.Poll(ctx, "the gateway should lose "+wanted.Key(), func(ctx context.Context) error {
		vpn, imported, err := d.find(ctx)
		switch {
		case err != nil:
			return err
		case vpn != nil:
			return fmt.Errorf("the VPN table still has %s", vpn)
		case imported != nil:
			return fmt.Errorf("the VRF %s still has %s", vrfName, imported)
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Println("The gateway has lost it:")
	if d.noVRF != nil {
		return d.showVPN(ctx)
	}
	return d.showVRF(ctx)
}

// find returns the route as the VPN table and the VRF have it, or nil. A
// gateway without a VRF is taken for one that imports everything.
func (d *demo) find(ctx context.Context) (vpn, imported *lab.Route, err error) {
	inVPN, err := d.gateway.VPN(ctx, lab.VPNv4)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range inVPN {
		if r.Key() == wanted.Key() {
			vpn = &r
		}
	}
	if d.noVRF != nil {
		return vpn, vpn, nil
	}
	inVRF, err := d.gateway.VRF(ctx, vrfName, lab.VPNv4)
	for _, r := range inVRF {
		if r.Prefix == wanted.Prefix {
			imported = &r
		}
	}
	return vpn, imported, err
}

// showBoth shows what Buoy says and what the gateway says.
func (d *demo) showBoth(ctx context.Context) error {
	heading("What Buoy says")
	for _, line := range []string{"get neighbors", "get floatingips", "get routes"} {
		if err := d.ctl(ctx, line); err != nil {
			return err
		}
	}
	heading("What the gateway says")
	if d.noVRF == nil {
		if err := d.showVRF(ctx); err != nil {
			return err
		}
	}
	if err := d.showVPN(ctx); err != nil {
		return err
	}
	ours, err := d.buoyd.Routes(ctx)
	if err != nil {
		return err
	}
	vpn, _, err := d.find(ctx)
	if err != nil {
		return err
	}
	if len(ours) != 1 || vpn == nil {
		return fmt.Errorf("expected one route at Buoy and at the gateway, got %v and %v", ours, vpn)
	}
	heading("Side by side")
	if err := sideBySide(d.gateway.Kind(), ours[0], *vpn); err != nil {
		return err
	}
	heading("And back")
	return nil
}

func (d *demo) showVRF(ctx context.Context) error {
	command, text, err := d.gateway.ShowVRF(ctx, vrfName, lab.VPNv4)
	if err == nil {
		fmt.Printf("$ %s\n%s", command, text)
	}
	return err
}

func (d *demo) showVPN(ctx context.Context) error {
	command, text, err := d.gateway.ShowVPN(ctx, lab.VPNv4)
	if err == nil {
		fmt.Printf("$ %s\n%s", command, text)
	}
	return err
}

// sideBySide shows field by field what Buoy advertises and what the gateway has
// learned; awaitRoute has found the latter to be right.
func sideBySide(kind string, ours, learned lab.Route) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "\tBuoy advertises\t%s has learned\n", kind)
	for _, field := range []struct {
		name  string
		value func(lab.Route) any
	}{
		{"prefix", func(r lab.Route) any { return r.Prefix }},
		{"route distinguisher", func(r lab.Route) any { return r.RD }},
		{"label", func(r lab.Route) any { return r.Label }},
		{"next hop", func(r lab.Route) any { return r.NextHop }},
		{"route targets", func(r lab.Route) any { return r.Targets }},
		{"encapsulations", func(r lab.Route) any { return vrf.NewEncapsulations(r.Encapsulations...) }},
		{"LOCAL_PREF", func(r lab.Route) any { return r.LocalPref }},
	} {
		mark := ""
		if fmt.Sprint(field.value(ours)) != fmt.Sprint(field.value(learned)) {
			mark = "\t<- differs"
		}
		fmt.Fprintf(w, "%s\t%v\t%v%s\n", field.name, field.value(ours), field.value(learned), mark)
	}
	return w.Flush()
}

func heading(text string) {
	fmt.Printf("\n%s\n%s\n", text, strings.Repeat("-", len(text)))
}
