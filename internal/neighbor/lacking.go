package neighbor

import (
	"fmt"
	"strings"
)

// Lacking returns the configured families that the neighbor of an established
// session did not offer.
func (s Status) Lacking() Families {
	if s.State != Established || s.OpenReceived == nil {
		return 0
	}
	return s.Settings.Families &^ s.OpenReceived.Families
}

// Lacks says what an established session lacks, and what to do about it. Both
// are empty when it is as it should be.
func (s Status) Lacks() (reason, next string) {
	var reasons, steps []string
	if lacking := s.Lacking(); lacking != 0 {
		reasons = append(reasons, fmt.Sprintf("the neighbor does not offer %s; it offers %s", lacking, s.OpenReceived.Offered()))
		steps = append(steps, fmt.Sprintf("enable %s for this session on the router, if its routes are wanted", lacking))
	}
	if s.State == Established && s.Left > 0 {
		reasons = append(reasons, fmt.Sprintf("the neighbor announces more than the maximum of %d routes: %d left out", s.Settings.MaxRoutes(), s.Left))
		again := "the routes are asked for again then"
		if s.OpenReceived == nil || !s.OpenReceived.Has(CapRouteRefresh) {
			again = "the routes come when its session is opened anew"
		}
		steps = append(steps, fmt.Sprintf("raise --max-received of %s, or narrow --accept-prefix or --accept-target; %s", s.Settings.Name, again))
	}
	return strings.Join(reasons, "; and "), strings.Join(steps, "; and ")
}

// familyNames are those of families that Buoy does not speak, as network
// operators call them, by AFI/SAFI.
var familyNames = map[string]string{
	"1/1": "inet unicast", "2/1": "inet6 unicast", "1/2": "inet multicast", "2/2": "inet6 multicast",
	"1/4": "inet labeled-unicast", "2/4": "inet6 labeled-unicast", "25/65": "l2vpn vpls", "25/70": "evpn",
	"1/129": "inet-vpn multicast", "2/129": "inet6-vpn multicast", "1/133": "inet flow", "2/133": "inet6 flow",
	"1/134": "inet-vpn flow", "2/134": "inet6-vpn flow", "16388/71": "link-state",
}

// Offered names every family of an OPEN. Without any, RFC 4760 §8 means IPv4
// unicast.
func (o Open) Offered() string {
	names := o.Families.Strings()
	for _, other := range o.Others {
		if name, ok := familyNames[other]; ok {
			other = name
		}
		names = append(names, other)
	}
	if len(names) == 0 {
		return "none (inet unicast)"
	}
	return strings.Join(names, ", ")
}
