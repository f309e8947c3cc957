package history

import (
	"net/netip"
	"slices"
	"strings"
)

// Matcher chooses the events of one resource.
type Matcher struct {
	name    string // a full name
	short   string // or a short one, of whatever kind
	address string // or an address
	mention string // what an association at a compute node has
	also    []string
}

// NewMatcher reads what somebody looks for: a full name, an address, or a short name.
// The other full names are those of resources that are meant, too.
func NewMatcher(text string, also []string) *Matcher {
	m := &Matcher{also: also}
	if a, err := netip.ParseAddr(text); err == nil {
		m.address = a.String()
	} else if strings.Contains(text, "/") {
		m.name = text
	} else {
		m.short = text
	}
	if node := strings.TrimPrefix(text, "computeNodes/"); m.address == "" && !strings.Contains(node, "/") {
		m.mention = `"compute_node":"computeNodes/` + node + `"`
	}
	return m
}

// Matches reports whether an event is about what is looked for. A group that does not
// name all is about every resource of its kind that is known by its name.
func (m *Matcher) Matches(e *Event) bool {
	switch {
	case e.Group():
		if slices.ContainsFunc(e.Names, m.means) {
			return true
		}
		alike := func(name string) bool { return Collection(name) == Collection(e.Names[0]) }
		return e.Partial() && (m.name != "" && alike(m.name) || slices.ContainsFunc(m.also, alike))
	case m.address != "" && e.Address == m.address:
		return true
	case m.means(e.Subject):
		return true
	default:
		return m.mention != "" && (strings.Contains(e.Before, m.mention) || strings.Contains(e.After, m.mention))
	}
}

// means reports whether a full name is the one that is looked for.
func (m *Matcher) means(name string) bool {
	if name == "" {
		return false
	}
	return name == m.name || m.short != "" && name[strings.LastIndexByte(name, '/')+1:] == m.short || slices.Contains(m.also, name)
}
