package lab

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// gobgpPath is a path in the tables that gobgp -j writes: an object with a list
// of paths for each <RD>:<prefix>.
type gobgpPath struct {
	NLRI struct {
		Prefix string
		Labels []uint32
	}
	Attrs []json.RawMessage
}

// The attributes' types (RFC 4271, RFC 4360, RFC 4760).
const (
	attrOrigin       = 1
	attrASPath       = 2
	attrNextHop      = 3
	attrLocalPref    = 5
	attrCommunities  = 8
	attrMPReach      = 14
	attrExtCommunity = 16
)

var origins = []string{"igp", "egp", "incomplete"}

// parseGoBGPTable reads a VPN table, or that of a VRF.
func parseGoBGPTable(data []byte) ([]Route, error) {
	var table map[string][]gobgpPath
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("decode gobgp table: %w", err)
	}
	routes := []Route{}
	for key, paths := range table {
		for _, p := range paths {
			r, err := p.route(key)
			if err != nil {
				return nil, fmt.Errorf("decode gobgp route %s: %w", key, err)
			}
			routes = append(routes, r)
		}
	}
	sortRoutes(routes)
	return routes, nil
}

func (p gobgpPath) route(key string) (r Route, err error) {
	if r.Prefix, err = netip.ParsePrefix(p.NLRI.Prefix); err != nil {
		return r, err
	}
	if rd, ok := strings.CutSuffix(key, ":"+p.NLRI.Prefix); ok {
		if r.RD, err = routetarget.ParseDistinguisher(rd); err != nil {
			return r, err
		}
	}
	switch len(p.NLRI.Labels) {
	case 0:
	case 1:
		r.Label = p.NLRI.Labels[0]
	default:
		return r, fmt.Errorf("expected one label, got %v", p.NLRI.Labels)
	}
	for _, attr := range p.Attrs {
		if err := r.addGoBGPAttribute(attr); err != nil {
			return r, fmt.Errorf("attribute %s: %w", attr, err)
		}
	}
	return r, nil
}

func (r *Route) addGoBGPAttribute(data json.RawMessage) error {
	var a struct {
		Type    int
		Value   json.RawMessage
		NextHop string
		ASPaths []struct{ ASNs []uint32 } `json:"as_paths"`

		Communities []uint32
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	var err error
	switch a.Type {
	case attrOrigin:
		var n int
		if err = json.Unmarshal(a.Value, &n); err == nil && n < len(origins) {
			r.Origin = origins[n]
		}
	case attrASPath:
		asns := []uint32{}
		for _, segment := range a.ASPaths {
			asns = append(asns, segment.ASNs...)
		}
		r.ASPath = fmt.Sprint(asns)
	case attrNextHop, attrMPReach:
		r.NextHop, err = netip.ParseAddr(a.NextHop)
	case attrLocalPref:
		var n uint32
		err = json.Unmarshal(a.Value, &n)
		r.setLocalPref(n)
	case attrCommunities:
		for _, c := range a.Communities {
			r.addCommunity(c)
		}
	case attrExtCommunity:
		err = r.addGoBGPCommunities(a.Value)
	default:
		r.Others = append(r.Others, fmt.Sprintf("attribute:%s", data))
	}
	return err
}

func (r *Route) addGoBGPCommunities(data json.RawMessage) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	var targets []routetarget.Target
	for _, text := range list {
		var c struct {
			Type, SubType int
			Value         string
			TunnelType    vrf.Encapsulation `json:"tunnel_type"`
		}
		if err := json.Unmarshal(text, &c); err != nil {
			return err
		}
		switch {
		case c.Type <= 2 && c.SubType == 2: // RFC 4360 §4
			t, err := routetarget.ParseTarget(c.Value)
			if err != nil {
				return err
			}
			targets = append(targets, t)
		case c.Type == 3 && c.SubType == 12: // RFC 9012 §4.1
			r.Encapsulations = append(r.Encapsulations, c.TunnelType)
		default:
			r.Others = append(r.Others, fmt.Sprintf("community:%s", text))
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}

// parseGoBGPMemberships reads a table of route target memberships: an object
// by <AS>:<target>.
func parseGoBGPMemberships(data []byte) ([]string, error) {
	var table map[string]json.RawMessage
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("decode gobgp memberships: %w", err)
	}
	memberships := []string{}
	for key := range table {
		memberships = append(memberships, key)
	}
	slices.Sort(memberships)
	return memberships, nil
}
