package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// An FRR that announces routes has a VRF for each distinguisher, with one label
// and one set of targets for each family. The routes are in the kernel of the
// VRF, and bgpd redistributes and exports them. Their next hop is FRR itself.

// Kill ends bgpd without a warning; zebra stays, and with it the routes.
func (f *FRR) Kill() { f.bgpd.Kill() }

// Restart starts bgpd again.
func (f *FRR) Restart(ctx context.Context) error {
	if err := f.startBGPd(); err != nil {
		return fmt.Errorf("restart frr: %w", err)
	}
	return f.ready(ctx)
}

// Announce configures the VRFs of routes, and then adds the routes to them.
func (f *FRR) Announce(ctx context.Context, routes ...Route) error {
	routes = f.origins.put(routes)
	text, err := frrOrigins(f.config, f.origins)
	if err == nil {
		err = f.addOriginVRFs(ctx)
	}
	if err != nil {
		return err
	}
	commands := []string{"configure terminal"}
	for line := range strings.Lines(text) {
		commands = append(commands, strings.TrimSpace(line))
	}
	if _, err := f.CLI(ctx, commands...); err != nil {
		return err
	}
	return f.kernelRoutes(ctx, "replace", routes)
}

// Withdraw deletes routes from their VRFs.
func (f *FRR) Withdraw(ctx context.Context, routes ...Route) error {
	return f.kernelRoutes(ctx, "delete", f.origins.meant(routes))
}

// startOrigins makes the VRFs, before bgpd is there.
func (f *FRR) startOrigins(ctx context.Context) error {
	f.origins.put(f.config.Origins)
	if err := f.addOriginVRFs(ctx); err != nil {
		return err
	}
	return f.kernelRoutes(ctx, "replace", f.origins)
}

// addOriginVRFs makes those that are missing.
func (f *FRR) addOriginVRFs(ctx context.Context) error {
	if f.noVRF != nil && len(f.origins) > 0 {
		return fmt.Errorf("announce routes: %w", f.noVRF)
	}
	for _, rd := range f.origins.distinguishers() {
		name := frrOriginVRF(rd)
		if f.world.run(ctx, "test", "-e", "/run/netns/"+name) == nil {
			continue
		}
		if err := f.world.addVRF(ctx, name); err != nil {
			return err
		}
		if err := f.world.run(ctx, "ip", "-n", name, "link", "set", "lo", "up"); err != nil {
			return err
		}
	}
	return nil
}

func (f *FRR) kernelRoutes(ctx context.Context, verb string, routes []Route) error {
	for _, r := range routes {
		err := f.world.run(ctx, "ip", "-n", frrOriginVRF(r.RD), "-"+birdSuffix[r.Family()], "route", verb, r.Prefix.String(), "dev", "lo")
		if err != nil {
			return err
		}
	}
	return nil
}

// frrOriginVRF returns a name that is also good for a file.
func frrOriginVRF(rd routetarget.Distinguisher) string {
	return "origin-" + strings.ReplaceAll(rd.String(), ":", "-")
}

// frrOrigins returns the configuration of the VRFs. It says all of each route,
// so that it can follow another one.
func frrOrigins(c GatewayConfig, routes originated) (string, error) {
	var b strings.Builder
	for i, r := range routes {
		name, version := frrOriginVRF(r.RD), "ip"
		if r.Family() == VPNv6 {
			version = "ipv6"
		}
		fmt.Fprintf(&b, "%s prefix-list ORIGIN-%d permit %s\n", version, i, r.Prefix)
		fmt.Fprintf(&b, "route-map %s permit %d\n match %s address prefix-list ORIGIN-%d\n", name, i+1, version, i)
		fmt.Fprintf(&b, " set metric %d\n", r.MED) // that of the kernel differs between IPv4 and IPv6
		b.WriteString(frrSet("local-preference", fmt.Sprint(r.LocalPref), r.LocalPref != 0))
		b.WriteString(frrSet("origin", r.Origin, r.Origin != ""))
		b.WriteString("exit\n")
	}
	for _, rd := range routes.distinguishers() {
		fmt.Fprintf(&b, "router bgp %d vrf %s\n bgp router-id %s\n", c.AS, frrOriginVRF(rd), c.RouterID)
		for _, family := range []Family{VPNv4, VPNv6} {
			of := slices.DeleteFunc(routes.of(family), func(r Route) bool { return r.RD != rd })
			if len(of) == 0 {
				continue
			}
			for _, r := range of[1:] {
				if r.Label != of[0].Label || r.Targets != of[0].Targets {
					return "", fmt.Errorf("%s and %s are routes of one VRF of frr: expected the same label and targets", of[0], r)
				}
			}
			fmt.Fprintf(&b, ` address-family %s
  redistribute kernel route-map %s
  rd vpn export %s
  rt vpn export %s
  label vpn export %d
  export vpn
 exit-address-family
`, frrFamilies[family].vrf, frrOriginVRF(rd), rd, strings.Join(bareTargets(of[0].Targets), " "), of[0].Label)
		}
		b.WriteString("exit\n")
	}
	return b.String(), nil
}

// frrSet returns a line of a route map that sets something, or no longer does.
func frrSet(what, value string, set bool) string {
	if !set {
		return " no set " + what + "\n"
	}
	return " set " + what + " " + value + "\n"
}
