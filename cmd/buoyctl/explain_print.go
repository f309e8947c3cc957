package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/gatewayconfig"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// writeSteps writes an explanation, a line for each step.
func writeSteps(w io.Writer, e *buoyv1.Explanation, looks string) error {
	var b bytes.Buffer
	p := stepPrinter{&b, e.Healthy}
	fmt.Fprintf(&b, "%s is %s\n", e.Address, e.Summary)
	if e.NextStep != "" {
		fmt.Fprintf(&b, "Next step: %s\n", e.NextStep)
	}
	fmt.Fprintln(&b)
	p.steps(1, e.Steps)
	for _, path := range e.Paths {
		fmt.Fprintf(&b, "  at %s, interface %s\n", short(path.ComputeNode), path.Interface)
		p.steps(2, path.Steps)
		for _, hop := range path.Neighbors {
			fmt.Fprintf(&b, "    to %s\n", short(hop.Neighbor))
			p.steps(3, hop.Steps)
		}
	}
	if len(e.WayBack) > 0 {
		fmt.Fprintln(&b, "  the way back")
		p.steps(2, e.WayBack)
	}
	b.WriteString(looks)
	_, err := b.WriteTo(w)
	return err
}

type stepPrinter struct {
	w       io.Writer
	healthy bool // what failed is not the reason for anything
}

// width is that of the longest word for a step.
const width = len("compute-node")

func (p stepPrinter) steps(depth int, list []*buoyv1.ExplanationStep) {
	indent := strings.Repeat("  ", depth)
	for _, s := range list {
		line := fmt.Sprintf("%s%s %-*s  %s", indent, p.mark(s.Status), width, strings.ReplaceAll(s.Id, "_", "-"), s.Text)
		if s.Time != nil {
			line += ", " + map[bool]string{true: "at", false: "since"}[s.Id == "sent"] + " " + s.Time.AsTime().Local().Format(time.DateTime)
		}
		fmt.Fprintln(p.w, strings.TrimRight(line, " "))
		if s.NextStep != "" {
			fmt.Fprintf(p.w, "%s  %*s  → %s\n", indent, width, "", s.NextStep)
		}
	}
}

func (p stepPrinter) mark(s buoyv1.ExplanationStep_Status) string {
	switch s {
	case buoyv1.ExplanationStep_OK:
		return "✓"
	case buoyv1.ExplanationStep_SKIPPED:
		return "–"
	case buoyv1.ExplanationStep_FAILED:
		if !p.healthy {
			return "✗"
		}
	}
	return "!"
}

// looksFor says what to look at on the gateways that were sent a route.
func looksFor(e *buoyv1.Explanation, vendor string) (string, error) {
	vendors := []string{vendor}
	if vendor == "" {
		vendors = []string{"junos", "frr"}
	}
	var b strings.Builder
	for _, path := range e.Paths {
		sent := false
		for _, hop := range path.Neighbors {
			sent = sent || hop.Sent
		}
		if !sent {
			continue
		}
		arrival, err := arrivalOf(path.Route)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\nWhat the gateway does with the route to %s only it knows. Look there,\nwhere a VRF is called as gateway-config calls it:\n", short(path.ComputeNode))
		var what []string
		commands := map[string][]string{}
		for _, v := range vendors {
			list, err := gatewayconfig.LookAt(v, arrival)
			if err != nil {
				return "", err
			}
			for _, l := range list {
				if commands[l.What] == nil {
					what = append(what, l.What)
				}
				commands[l.What] = append(commands[l.What], fmt.Sprintf("%-5s  %s", v, l.Command))
			}
		}
		for _, w := range what {
			fmt.Fprintf(&b, "  %s\n", w)
			for _, command := range commands[w] {
				fmt.Fprintf(&b, "    %s\n", command)
			}
		}
	}
	return b.String(), nil
}

// arrivalOf reads a route of ours. The id of its network is in its distinguisher.
func arrivalOf(r *buoyv1.Route) (a gatewayconfig.Arrival, err error) {
	if a.RD, err = routetarget.ParseDistinguisher(r.RouteDistinguisher); err != nil {
		return a, err
	}
	if a.Prefix, err = netip.ParsePrefix(r.Prefix); err != nil {
		return a, err
	}
	if a.NextHop, err = netip.ParseAddr(r.NextHop); err != nil {
		return a, err
	}
	for _, text := range r.RouteTargets {
		t, err := routetarget.ParseTarget(text)
		if err != nil {
			return a, err
		}
		a.Targets = append(a.Targets, t)
	}
	a.Network, a.ID, a.Label = r.Network, vrf.NetworkID(a.RD), vrf.Label(r.Label)
	return a, nil
}
