package api

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// fields reads the values of a request. It keeps the first error, so that a
// conversion reads as a list of fields.
type fields struct {
	err error
}

func (f *fields) fail(field string, err error) {
	if f.err == nil {
		f.err = invalid(field, err)
	}
}

// addr reads an address. An empty one is the zero Addr: whether it may be left
// out is for the plan to say.
func (f *fields) addr(field, s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		f.fail(field, fmt.Errorf("expected an IPv4 or IPv6 address, got %q", s))
	}
	return a
}

func (f *fields) addrs(field string, list []string) []netip.Addr {
	addrs := make([]netip.Addr, 0, len(list))
	for _, s := range list {
		addrs = append(addrs, f.addr(field, s))
	}
	return addrs
}

func (f *fields) prefixes(field string, list []string) []netip.Prefix {
	prefixes := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			f.fail(field, fmt.Errorf("expected a prefix like 203.0.113.0/24, got %q", s))
		}
		prefixes = append(prefixes, p)
	}
	return prefixes
}

func (f *fields) targets(field string, list []string) routetarget.Set {
	targets := make([]routetarget.Target, 0, len(list))
	for _, s := range list {
		t, err := routetarget.ParseTarget(s)
		if err != nil {
			f.fail(field, err)
		}
		targets = append(targets, t)
	}
	return routetarget.NewSet(targets...)
}

func (f *fields) encapsulations(field string, list []string) vrf.Encapsulations {
	set, err := vrf.ParseEncapsulations(list)
	if err != nil {
		f.fail(field, err)
	}
	return set
}

func (f *fields) families(field string, list []string) neighbor.Families {
	set, err := neighbor.ParseFamilies(list)
	if err != nil {
		f.fail(field, err)
	}
	return set
}

func (f *fields) port(field string, n uint32) uint16 {
	if n > 65535 {
		f.fail(field, fmt.Errorf("expected a port 1..65535, got %d", n))
	}
	return uint16(n)
}

// graceful reads the families with graceful restart, and returns the others.
func (f *fields) graceful(field string, list []string) neighbor.Families {
	without, err := neighbor.ParseGraceful(list)
	if err != nil {
		f.fail(field, err)
	}
	return without
}

// accepted reads the prefixes that are taken from a neighbor.
func (f *fields) accepted(field string, list []string) neighbor.PrefixFilter {
	filter, err := neighbor.ParsePrefixFilter(list)
	if err != nil {
		f.fail(field, err)
	}
	return filter
}

// seconds reads a time that may be left out.
func (f *fields) seconds(field string, n, most uint32) uint16 {
	if n > most {
		f.fail(field, fmt.Errorf("expected at most %d seconds, got %d", most, n))
	}
	return uint16(n)
}

// hops reads a number of hops that may be left out.
func (f *fields) hops(field string, n, most uint32) uint8 {
	if n > most {
		f.fail(field, fmt.Errorf("expected 1..%d hops, got %d", most, n))
	}
	return uint8(n)
}

// enum reads a value of an enumeration.
func enum[P ~int32, T any](f *fields, field string, values map[P]T, value P) T {
	v, ok := values[value]
	if !ok {
		f.fail(field, fmt.Errorf("the enumeration has no value %d", value))
	}
	return v
}

// mask checks an update mask and returns a function that tells whether a field
// is in it.
func (f *fields) mask(m *fieldmaskpb.FieldMask, updatable ...string) func(field string) bool {
	expected := "expected some of " + strings.Join(updatable, ", ")
	if len(m.GetPaths()) == 0 {
		f.fail("update_mask", fmt.Errorf("%s; nothing is to be changed", expected))
	}
	for _, path := range m.GetPaths() {
		if !slices.Contains(updatable, path) {
			f.fail("update_mask", fmt.Errorf("%s, got %q", expected, path))
		}
	}
	return func(field string) bool { return slices.Contains(m.GetPaths(), field) }
}

// given returns a pointer to a value when its field is in the mask: what is
// nil stays as it is.
func given[T any](in bool, v T) *T {
	if !in {
		return nil
	}
	return &v
}

// parent checks the name of a project. An empty one stands for all.
func (f *fields) parent(field, name string) string {
	if name == "" {
		return ""
	}
	id, ok := strings.CutPrefix(name, "projects/")
	if !ok {
		f.fail(field, fmt.Errorf("expected projects/PROJECT, got %q", name))
	} else if err := inventory.CheckID(id); err != nil {
		f.fail(field, err)
	}
	return name
}

// inParent reports whether a resource belongs to a parent; an empty parent
// has all.
func inParent(name, parent string) bool {
	return parent == "" || strings.HasPrefix(name, parent+"/")
}

// texts returns the text of each value.
func texts[T fmt.Stringer](values []T) (list []string) {
	for _, v := range values {
		list = append(list, v.String())
	}
	return list
}
