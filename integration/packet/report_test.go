package packet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// report writes what the machines know, for whoever looks for the cause of a failure.
func (w *world) report(ctx context.Context) {
	type question struct{ namespace, text string }
	var list []question
	for _, ns := range []string{"gw", node(0), node(1), workload(0), workload(1), "client"} {
		for _, c := range []string{"ip -d -s link", "ip -s address", "ip rule", "ip route show table all", "ip -6 rule", "ip -6 route show table all", "ip -f mpls route", "ip neighbour", "nft list ruleset", "nstat -az", "sysctl net.mpls"} {
			list = append(list, question{ns, c})
		}
	}
	var b strings.Builder
	for _, q := range list {
		words := strings.Fields(q.text)
		r, err := lab.Command{Path: "/usr/bin/env", Args: words}.At(q.namespace).Run(ctx)
		fmt.Fprintf(&b, "### %s: %s\n%s%s\n", q.namespace, q.text, r.Stdout, r.Stderr)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	if w.gateway != nil {
		text, err := w.gateway.vtysh(ctx, "show bgp ipv4 vpn", "show bgp ipv6 vpn", "show bgp vrf vn-public ipv6 unicast", "show ipv6 route vrf vn-public", "show ipv6 nht", "show bgp vrf vn-public ipv4 unicast", "show ip route vrf vn-public", "show bgp neighbors")
		fmt.Fprintln(&b, "### FRR\n"+text, err)
	}
	for i := range w.controls {
		if w.controls[i] == nil {
			continue
		}
		for _, c := range []string{"get floatingips -o wide", "get computenodes -o wide", "get neighbors -o wide", "get routes -o wide", "explain " + overGRE} {
			r, err := w.controls[i].Ctl(ctx, strings.Fields(c)...)
			fmt.Fprintf(&b, "### %s: buoyctl %s\n%s%s%v\n", control(i), c, r.Stdout, r.Stderr, err)
		}
		fmt.Fprintf(&b, "### %s: log\n%s\n", control(i), lab.Tail(w.controls[i].LogFile(), 40))
	}
	if err := os.WriteFile(filepath.Join(artefacts, "report.txt"), []byte(b.String()), 0o644); err != nil {
		fmt.Println(err)
	}
}
