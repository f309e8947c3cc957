package lab

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// birdRoute is a route of a table, and whether its next hop leads nowhere.
type birdRoute struct {
	Route
	unreachable bool
}

func birdRoutes(list []birdRoute) []Route {
	routes := []Route{}
	for _, r := range list {
		routes = append(routes, r.Route)
	}
	sortRoutes(routes)
	return routes
}

// birdTarget returns a target as birdc writes and bird reads it.
func birdTarget(t routetarget.Target) string {
	text := strings.TrimPrefix(t.String(), "target:")
	i := strings.LastIndex(text, ":")
	return fmt.Sprintf("(rt, %s, %s)", text[:i], text[i+1:])
}

// birdHead begins a route: "<RD> <prefix> unicast [buoy 07:18:11 from …] …".
// A second route for the same prefix has spaces instead of it.
var birdHead = regexp.MustCompile(`^(?:(\S+) (\S+)| +) ?(unicast|unreachable|blackhole|prohibited) \[`)

// birdAttribute is a line below it.
var birdAttribute = regexp.MustCompile(`^\t([A-Za-z][\w.]*):(.*)$`)

// parseBirdTable reads what birdc shows of a table with the option all.
func parseBirdTable(text string) ([]birdRoute, error) {
	var routes []birdRoute
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := birdHead.FindStringSubmatch(line); m != nil {
			r, err := birdRouteOf(m[1], m[2], routes)
			if err != nil {
				return nil, fmt.Errorf("read birdc route %q: %w", line, err)
			}
			r.unreachable = m[3] != "unicast"
			routes = append(routes, r)
			continue
		}
		attr := birdAttribute.FindStringSubmatch(line)
		switch {
		case attr == nil || attr[1] == "Type":
			// Blank, the name of the table, or where the next hop leads.
		case len(routes) == 0:
			return nil, fmt.Errorf("read birdc table: %q is before the first route", line)
		default:
			last := &routes[len(routes)-1]
			if err := last.addAttribute(attr[1], strings.TrimSpace(attr[2])); err != nil {
				return nil, fmt.Errorf("read birdc route %s: %q: %w", last.Key(), line, err)
			}
		}
	}
	return routes, nil
}

func birdRouteOf(rd, prefix string, before []birdRoute) (r birdRoute, err error) {
	if rd == "" && len(before) > 0 {
		last := before[len(before)-1]
		r.RD, r.Prefix = last.RD, last.Prefix
		return r, nil
	}
	if r.RD, err = routetarget.ParseDistinguisher(rd); err != nil {
		return r, err
	}
	r.Prefix, err = netip.ParsePrefix(prefix)
	return r, err
}

func (r *birdRoute) addAttribute(name, value string) (err error) {
	switch name {
	case "BGP.origin":
		r.Origin = strings.ToLower(value)
	case "BGP.as_path":
		r.ASPath = "[" + value + "]"
	case "BGP.next_hop":
		r.NextHop, err = netip.ParseAddr(value)
	case "BGP.local_pref":
		var n uint32
		n, err = parseUint32(value)
		r.setLocalPref(n)
	case "BGP.community":
		err = r.addBirdCommunities(value)
	case "BGP.mpls_label_stack":
		r.Label, err = parseUint32(value) // an error if there is more than one
	case "BGP.ext_community":
		err = r.addExtendedCommunities(value)
	default:
		r.Others = append(r.Others, "attribute:"+name+"="+value)
	}
	return err
}

func parseUint32(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 0, 32)
	return uint32(n), err
}

var birdPair = regexp.MustCompile(`\((\d+), ?(\d+)\)`)

// addBirdCommunities reads "(65535,0) (64512,1)".
func (r *birdRoute) addBirdCommunities(value string) error {
	for _, m := range birdPair.FindAllStringSubmatch(value, -1) {
		high, err := strconv.ParseUint(m[1], 10, 16)
		if err != nil {
			return err
		}
		low, err := strconv.ParseUint(m[2], 10, 16)
		if err != nil {
			return err
		}
		r.addCommunity(uint32(high<<16 | low))
	}
	return nil
}

var birdCommunity = regexp.MustCompile(`\((\w+), (\S+), (\S+)\)`)

// addExtendedCommunities reads "(rt, 64512, 10003) (generic, 0x30c0000, 0x2)".
func (r *birdRoute) addExtendedCommunities(value string) error {
	var targets []routetarget.Target
	for _, m := range birdCommunity.FindAllStringSubmatch(value, -1) {
		switch {
		case m[1] == "rt":
			t, err := routetarget.ParseTarget(m[2] + ":" + m[3])
			if err != nil {
				return err
			}
			targets = append(targets, t)
		case m[1] == "generic" && m[2] == "0x30c0000": // RFC 9012 §4.1
			n, err := parseUint32(m[3])
			if err != nil {
				return err
			}
			r.Encapsulations = append(r.Encapsulations, vrf.Encapsulation(n))
		default:
			r.Others = append(r.Others, "community:"+m[0])
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}
