package gatewayconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// comment returns a text that ends no comment and begins no line, whatever it
// was.
func comment(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-_./: ", r):
			return r
		}
		return '?'
	}, text)
	return cmp.Or(strings.TrimSpace(clean[:min(len(clean), 200)]), "?")
}

// reserved are names that some router has already: instances and tables of its
// own, and words of its language.
var reserved = []string{
	"all", "base", "buoy", "buoy_in", "default", "direct", "flow", "global", "inet", "ip", "ipv", "lo", "main", "management", "master",
	"mgmt", "none", "roa", "static", "tunnels", "vpn", "vrf",
}

// vrfNames returns the names of the networks' VRFs, by network id. The network's
// own name is kept where a router takes it; otherwise, and where an older network
// has it, the id is added. So a VRF keeps its name when networks are added.
func vrfNames(networks []Network, maxLength int, underscore bool) map[uint16]string {
	networks = slices.SortedFunc(slices.Values(networks), func(a, b Network) int { return cmp.Compare(a.ID, b.ID) })
	names, taken := map[uint16]string{}, map[string]bool{}
	for _, n := range networks {
		own := n.Name[strings.LastIndexByte(n.Name, '/')+1:]
		name := vrfName(own)
		if name == "" || len(name) > maxLength || slices.Contains(reserved, name) || taken[name] {
			suffix := fmt.Sprintf("-%d", n.ID)
			stem := cmp.Or(name, "vrf")
			name = strings.TrimRight(stem[:min(len(stem), maxLength-len(suffix))], "-") + suffix
		}
		for i := 1; taken[name]; i++ { // another network is called like this one with its id
			name = fmt.Sprintf("vrf-%d-%d", n.ID, i)
		}
		taken[name] = true
		if underscore {
			name = strings.ReplaceAll(name, "-", "_")
		}
		names[n.ID] = name
	}
	return names
}

// vrfName returns what all routers take of a name: lower-case letters, digits and
// hyphens, a letter first.
func vrfName(own string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(own) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// wrapped returns a text as comment lines. The lines of an item, "- …", are
// indented below its first one.
func wrapped(mark, text string) string {
	const width = 80
	var b strings.Builder
	line, next := mark, mark
	if strings.HasPrefix(text, "- ") {
		next += "  "
	}
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width && line != mark && line != next {
			b.WriteString(line + "\n")
			line = next
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
