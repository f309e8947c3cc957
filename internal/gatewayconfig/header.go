package gatewayconfig

import (
	"fmt"
	"slices"
	"strings"
)

// Header returns the comment that begins every text.
func (v view) Header() string {
	kind := "internal"
	if v.External() {
		kind = "external"
	}
	g := v.in.Gateway
	lines := []string{
		v.vendor.title + ".",
		"",
		fmt.Sprintf("A gateway of Buoy: Buoy is %s in AS %d, this router %s, %s in AS %d; %s BGP.", v.Us, v.OurAS, comment(g.Name), v.Router, v.AS, kind),
		"buoyctl gateway-config wrote this from what was configured; do it again when networks, their targets or compute nodes change.",
	}
	if v.vendor.tested {
		lines = append(lines, "The tests of Buoy load such a text into this router.")
	} else {
		lines = append(lines, "NOT TESTED: it was written from the vendor's manual and has not been run on such a router. Read it before you load it.")
	}
	if missing := v.missing(); len(missing) > 0 {
		lines = append(lines, "", "To replace before it works:")
		for _, m := range missing {
			lines = append(lines, "- "+m)
		}
	}
	if len(v.notes) > 0 {
		lines = append(lines, "")
		for _, n := range v.notes {
			lines = append(lines, "- "+n)
		}
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(wrapped(v.vendor.mark, line))
	}
	return b.String()
}

// missing says for each placeholder what has to take its place.
func (v view) missing() (list []string) {
	if v.Us == unknownAddress {
		list = append(list, unknownAddress+" is the address that buoyd connects from, and listens on: buoyctl gateway-config --local-address.")
	}
	if v.RouterID == unknownRouterID {
		list = append(list, unknownRouterID+" is this router's own router id, an IPv4 address.")
	}
	if slices.ContainsFunc(v.Tunnels, func(t tunnel) bool { return t.From == unknownSource }) {
		list = append(list, unknownSource+" is an address of this router in the family of the compute nodes': the tunnels begin there.")
	}
	if v.Key != "" {
		list = append(list, unknownKey+" is the TCP MD5 key: the one that buoyd has in "+comment(v.in.Gateway.Key)+".")
	}
	return list
}
