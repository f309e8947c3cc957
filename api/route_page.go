package api

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// routePage is which part of a list of routes a request asks for. In the order of
// the VPN tables the last route of the page before tells. In a network's table
// routes move as they become better or worse; there it is a prefix, and how many of
// its routes were on pages before. That names no neighbor, either.
type routePage struct {
	size    int
	network bool

	after position // in the order of the VPN tables

	prefix netip.Prefix // of a network's table
	shown  int
}

func routePageOf(req *buoyv1.ListRoutesRequest, network bool) (routePage, error) {
	f := &fields{}
	p := routePage{size: f.pageSize(req.GetPageSize()), network: network}
	if token := req.GetPageToken(); token != "" && !p.read(token) {
		f.fail("page_token", errToken)
	}
	return p, f.err
}

// read reads a token: PREFIX RD [NEIGHBOR], or PREFIX NUMBER.
func (p *routePage) read(token string) bool {
	text, ok := readToken(token)
	words := strings.Split(text, " ")
	prefix, err := netip.ParsePrefix(words[0])
	if !ok || err != nil {
		return false
	}
	if p.network {
		p.prefix = prefix
		if len(words) != 2 {
			return false
		}
		p.shown, err = strconv.Atoi(words[1])
		return err == nil && p.shown >= 0
	}
	if len(words) != 3 {
		return false
	}
	rd, err := routetarget.ParseDistinguisher(words[1])
	p.after = position{vrf.Key{RD: rd, Prefix: prefix}, words[2]}
	return err == nil
}

// of returns the routes of the page in the order of the VPN tables, and the token
// of the next one.
func (p routePage) of(f *routeFilter, list ordered) (on []line, next string) {
	from := f.first()
	if p.after.key.Compare(from) > 0 {
		from = p.after.key
	}
	for l := range list(from) {
		key := l.key()
		if f.past(key.Prefix) {
			break
		}
		// What comes before the first key is in lists that cannot begin at one.
		if key.Compare(from) < 0 || (position{key, l.source()}).compare(p.after) <= 0 || !f.takes(&l) || !f.wants(l) {
			continue
		}
		if len(on) == p.size {
			last := on[p.size-1]
			return on, writeToken(fmt.Sprintf("%s %s %s", last.key().Prefix, last.key().RD, last.source()))
		}
		on = append(on, l)
	}
	return on, ""
}

// ofNetwork returns the routes of the page in the order of a network's table.
func (p routePage) ofNetwork(f *routeFilter, s *ribs) (on []line, next string) {
	if f.addr.IsValid() {
		f.prefix = s.lookup(f.network, f.addr)
	}
	if f.addr.IsValid() && !f.prefix.IsValid() || f.prefix.IsValid() && !f.families.Contains(neighbor.VPNFamily(f.prefix.Addr())) {
		return nil, ""
	}
	from := f.first().Prefix
	if comparePrefixes(p.prefix, from) > 0 {
		from = p.prefix
	}
	for prefix, lines := range s.network(f.network, from) {
		if f.past(prefix) {
			break
		}
		for i, l := range lines {
			switch {
			case prefix == p.prefix && i < p.shown, !f.wants(l):
			case len(on) == p.size:
				return on, writeToken(fmt.Sprintf("%s %d", prefix, i))
			default:
				on = append(on, l)
			}
		}
	}
	return on, ""
}
