package lab

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// exaBGPState is what the events of exabgp lead to.
type exaBGPState struct {
	session string
	table   map[Family]map[string]Route  // by their keys
	told    map[Family]map[string]string // the last message about each, as exabgp wrote it
}

// exaBGPEvent is a line of exabgp's JSON. The numbers before the neighbor are
// the time, process ids and a counter.
type exaBGPEvent struct {
	Type     string
	Neighbor struct {
		State   string          // of the type state
		Message json.RawMessage // of the type update
	}
}

// exaBGPSessions are the states that it tells, as RFC 4271 writes them.
var exaBGPSessions = map[string]string{"connected": "OpenSent", "up": "Established", "down": "Idle"}

// replayExaBGP reads events from the first one on. The last line may not be
// complete yet.
func replayExaBGP(data []byte) (*exaBGPState, error) {
	s := &exaBGPState{session: "Idle"}
	s.clear()
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		if err := s.add(line); err != nil {
			return s, fmt.Errorf("decode what exabgp told: %w: %s", err, line)
		}
	}
	return s, nil
}

func (s *exaBGPState) clear() {
	s.table = map[Family]map[string]Route{}
	s.told = map[Family]map[string]string{}
	for f := range exaBGPFamilies {
		s.table[f], s.told[f] = map[string]Route{}, map[string]string{}
	}
}

func (s *exaBGPState) add(line []byte) error {
	var e exaBGPEvent
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	switch e.Type {
	case "state":
		// With the session go the routes.
		s.clear()
		s.session = exaBGPSessions[e.Neighbor.State]
		return nil
	case "update":
		return s.update(e.Neighbor.Message)
	default:
		return nil
	}
}

// exaBGPNLRI is a prefix with what stands beside it in a VPN route.
type exaBGPNLRI struct {
	Prefix netip.Prefix `json:"nlri"`
	Labels [][]uint32   `json:"label"` // each with the raw value behind it, if that has an unusual one
	RD     routetarget.Distinguisher
}

func (s *exaBGPState) update(message json.RawMessage) error {
	var m struct {
		Update struct {
			Attribute map[string]json.RawMessage
			Announce  map[string]map[string][]exaBGPNLRI // by family and next hop
			Withdraw  map[string][]exaBGPNLRI            // by family
		}
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	common, err := routeOfExaBGPAttributes(m.Update.Attribute)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(message))
	for family, name := range exaBGPFamilies {
		for _, nlri := range m.Update.Withdraw[name] {
			key := Route{RD: nlri.RD, Prefix: nlri.Prefix}.Key()
			delete(s.table[family], key)
			s.told[family][key] = text
		}
		for nextHop, list := range m.Update.Announce[name] {
			for _, nlri := range list {
				r := common
				if err := r.addExaBGPNLRI(nlri, nextHop); err != nil {
					return fmt.Errorf("%s: %w", nlri.Prefix, err)
				}
				s.table[family][r.Key()] = r
				s.told[family][r.Key()] = text
			}
		}
	}
	return nil
}

func (r *Route) addExaBGPNLRI(nlri exaBGPNLRI, nextHop string) (err error) {
	r.RD, r.Prefix = nlri.RD, nlri.Prefix
	if len(nlri.Labels) != 1 || len(nlri.Labels[0]) == 0 {
		return fmt.Errorf("expected one label, got %v", nlri.Labels)
	}
	r.Label = nlri.Labels[0][0]
	r.NextHop, err = netip.ParseAddr(nextHop)
	return err
}

// routeOfExaBGPAttributes returns what all routes of an UPDATE share. An empty
// AS path is not shown.
func routeOfExaBGPAttributes(attributes map[string]json.RawMessage) (r Route, err error) {
	for name, value := range attributes {
		switch name {
		case "origin":
			err = errors.Join(err, json.Unmarshal(value, &r.Origin))
		case "local-preference":
			var n uint32
			err = errors.Join(err, json.Unmarshal(value, &n))
			r.setLocalPref(n)
		case "as-path":
			var asns []uint32
			err = errors.Join(err, json.Unmarshal(value, &asns))
			r.ASPath = fmt.Sprint(asns)
		case "community":
			var list [][2]uint16
			err = errors.Join(err, json.Unmarshal(value, &list))
			for _, c := range list {
				r.addCommunity(uint32(c[0])<<16 | uint32(c[1]))
			}
		case "extended-community":
			err = errors.Join(err, r.addExaBGPCommunities(value))
		default:
			// Beside an AS path it shows an empty confederation-path.
			if string(value) != "[]" {
				r.Others = append(r.Others, fmt.Sprintf("attribute:%s:%s", name, value))
			}
		}
	}
	slices.Sort(r.Others) // the map has no order
	return r, err
}

func (r *Route) addExaBGPCommunities(data json.RawMessage) error {
	var list []struct {
		Value  uint64 // the eight bytes on the wire
		String string
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	var targets []routetarget.Target
	for _, c := range list {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], c.Value)
		if t, ok := routetarget.TargetFromBytes(b); ok {
			targets = append(targets, t)
		} else if c.Value>>48 == 0x030c { // RFC 9012 §4.1
			r.Encapsulations = append(r.Encapsulations, vrf.Encapsulation(c.Value))
		} else {
			r.Others = append(r.Others, "community:"+c.String)
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}
