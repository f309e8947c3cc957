package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// parseFRRPrefixes returns the prefixes of a table: of a VPN table, which has a
// table for each distinguisher, or of a VRF. One that never had any is no JSON at
// all.
func parseFRRPrefixes(data []byte) ([]netip.Prefix, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	var table struct{ Routes map[string]json.RawMessage }
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("decode vtysh table: %w", err)
	}
	names := table.Routes
	if byRD, ok := table.Routes["routeDistinguishers"]; ok {
		var tables map[string]map[string]json.RawMessage
		if err := json.Unmarshal(byRD, &tables); err != nil {
			return nil, fmt.Errorf("decode vtysh table: %w", err)
		}
		names = map[string]json.RawMessage{}
		for _, t := range tables {
			for name := range t {
				names[name] = nil
			}
		}
	}
	var prefixes []netip.Prefix
	for name := range names {
		p, err := netip.ParsePrefix(name)
		if err != nil {
			return nil, fmt.Errorf("decode vtysh table: %w", err)
		}
		prefixes = append(prefixes, p)
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	return prefixes, nil
}

// frrEntry is what vtysh says of a prefix in one table.
type frrEntry struct {
	Prefix string
	Paths  []frrPath
}

type frrPath struct {
	Valid             bool
	Origin            string
	LocPrf            *uint32
	RemoteLabel       uint32
	ASPath            struct{ Segments []struct{ List []uint32 } }
	Community         struct{ String string }
	ExtendedCommunity struct{ String string }
	NextHops          []struct {
		IP   netip.Addr
		Used bool
	}
}

// parseFRRRoutes reads a sequence of answers, one for each prefix: in a VPN
// table an object by distinguisher, in a VRF the entry itself. A prefix that
// has gone is an empty object. Only valid paths are routes.
func parseFRRRoutes(data []byte) ([]Route, error) {
	var routes []Route
	answers := json.NewDecoder(bytes.NewReader(data))
	for {
		var answer json.RawMessage
		if err := answers.Decode(&answer); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("decode vtysh route: %w", err)
		}
		entries, err := frrEntries(answer)
		if err != nil {
			return nil, fmt.Errorf("decode vtysh route: %w", err)
		}
		for rd, entry := range entries {
			more, err := entry.routes(rd)
			if err != nil {
				return nil, fmt.Errorf("decode vtysh route %s %s: %w", rd, entry.Prefix, err)
			}
			routes = append(routes, more...)
		}
	}
	sortRoutes(routes)
	return routes, nil
}

func frrEntries(answer json.RawMessage) (map[string]frrEntry, error) {
	var entry frrEntry
	if err := json.Unmarshal(answer, &entry); err != nil {
		return nil, err
	}
	if entry.Prefix != "" {
		return map[string]frrEntry{"": entry}, nil
	}
	var byRD map[string]frrEntry
	err := json.Unmarshal(answer, &byRD)
	return byRD, err
}

func (e frrEntry) routes(rd string) (routes []Route, err error) {
	var common Route
	if rd != "" {
		if common.RD, err = routetarget.ParseDistinguisher(rd); err != nil {
			return nil, err
		}
	}
	if common.Prefix, err = netip.ParsePrefix(e.Prefix); err != nil {
		return nil, err
	}
	for _, p := range e.Paths {
		if !p.Valid {
			continue
		}
		r := common
		r.Label, r.Origin = p.RemoteLabel, strings.ToLower(p.Origin)
		if p.LocPrf != nil {
			r.setLocalPref(*p.LocPrf)
		}
		asns := []uint32{}
		for _, s := range p.ASPath.Segments {
			asns = append(asns, s.List...)
		}
		r.ASPath = fmt.Sprint(asns)
		for _, hop := range p.NextHops {
			if hop.Used {
				r.NextHop = hop.IP
			}
		}
		for _, c := range strings.Fields(p.Community.String) {
			r.addNamedCommunity(c, "graceful-shutdown")
		}
		if err := r.addFRRCommunities(p.ExtendedCommunity.String); err != nil {
			return nil, err
		}
		routes = append(routes, r)
	}
	return routes, nil
}

// addFRRCommunities reads "RT:64512:10003 ET:2".
func (r *Route) addFRRCommunities(text string) error {
	var targets []routetarget.Target
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, ":")
		switch name {
		case "RT":
			t, err := routetarget.ParseTarget(value)
			if err != nil {
				return err
			}
			targets = append(targets, t)
		case "ET": // RFC 9012 §4.1
			n, err := strconv.ParseUint(value, 10, 16)
			if err != nil {
				return err
			}
			r.Encapsulations = append(r.Encapsulations, vrf.Encapsulation(n))
		default:
			r.Others = append(r.Others, "community:"+word)
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}
