package lab

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// openBGPDRoute is a route in the tables that bgpctl -j show rib detail
// writes.
type openBGPDRoute struct {
	Prefix      string // "rd <RD> <prefix>"
	ASPath      string
	NextHop     netip.Addr `json:"exit_nexthop"` // as received
	Origin      string
	Metric      uint32 // 0 when there is none
	LocalPref   uint32 // its own 100 when there is none
	Communities []string
	Large       []string        `json:"large_communities"`
	Extended    []string        `json:"extended_communities"`
	Attributes  json.RawMessage `json:"attributes"`
}

// parseOpenBGPDTable reads a VPN table. An empty one is an empty object.
func parseOpenBGPDTable(data []byte) ([]Route, error) {
	var table struct{ RIB []openBGPDRoute }
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("decode bgpctl table: %w", err)
	}
	routes := []Route{}
	for _, entry := range table.RIB {
		r, err := entry.route()
		if err != nil {
			return nil, fmt.Errorf("decode bgpctl route %s: %w", entry.Prefix, err)
		}
		routes = append(routes, r)
	}
	sortRoutes(routes)
	return routes, nil
}

func (e openBGPDRoute) route() (r Route, err error) {
	words := strings.Fields(e.Prefix)
	if len(words) != 3 || words[0] != "rd" {
		return r, fmt.Errorf(`expected "rd <RD> <prefix>"`)
	}
	if r.RD, err = routetarget.ParseDistinguisher(words[1]); err != nil {
		return r, err
	}
	if r.Prefix, err = netip.ParsePrefix(words[2]); err != nil {
		return r, err
	}
	r.NextHop = e.NextHop
	r.setLocalPref(e.LocalPref)
	r.Origin = strings.ToLower(e.Origin)
	r.ASPath = "[" + e.ASPath + "]"
	if err := r.addOpenBGPDCommunities(e.Extended); err != nil {
		return r, err
	}
	if e.Metric != 0 {
		r.Others = append(r.Others, fmt.Sprintf("metric:%d", e.Metric))
	}
	for _, c := range e.Communities {
		r.addNamedCommunity(c, "GRACEFUL_SHUTDOWN")
	}
	for _, c := range e.Large {
		r.Others = append(r.Others, "community:"+c)
	}
	if e.Attributes != nil {
		r.Others = append(r.Others, "attributes:"+string(e.Attributes))
	}
	return r, nil
}

func (r *Route) addOpenBGPDCommunities(list []string) error {
	var targets []routetarget.Target
	for _, c := range list {
		// It has no name for an encapsulation: "[12] 0x2" is the subtype, and
		// all that follows as one number. It does not show the type.
		if value, ok := strings.CutPrefix(c, "[12] "); ok {
			n, err := strconv.ParseUint(value, 0, 16)
			if err != nil {
				return fmt.Errorf("encapsulation: %w", err)
			}
			r.Encapsulations = append(r.Encapsulations, vrf.Encapsulation(n))
		} else if value, ok := strings.CutPrefix(c, "rt "); ok {
			t, err := routetarget.ParseTarget("target:" + value)
			if err != nil {
				return err
			}
			targets = append(targets, t)
		} else {
			r.Others = append(r.Others, "community:"+c)
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}
