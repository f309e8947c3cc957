package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
	"github.com/spf13/pflag"
)

// validation turns a file into a Config and collects what is wrong with it.
type validation struct {
	document  *document
	inherited map[string]string
	env       map[string]string
	flags     *pflag.FlagSet
	file      file
	problems  []problem
}

func (v *validation) config() (c Config) {
	f := &v.file
	c.BGP.AS = single(v, "bgp.as", f.BGP.AS, parseAS)
	c.BGP.RouterID = single(v, "bgp.router_id", f.BGP.RouterID, parseRouterID)
	c.BGP.Listen = unique(v, "bgp.listen", f.BGP.Listen, parseListen)
	c.BGP.Families = union(v, "bgp.families", f.BGP.Families, neighbor.ParseFamilies)
	c.API.Listen = unique(v, "api.listen", f.API.Listen, ParseEndpoint)
	c.ComputeNodes = v.computeNodes()
	c.Metrics = v.metrics()
	c.Store.Driver = single(v, "store.driver", f.Store.Driver, parseDriver)
	c.Store.Path = single(v, "store.path", f.Store.Path, parsePath)
	c.History.MaxEvents = single(v, "history.max_events", f.History.MaxEvents, parseMaxEvents)
	c.Log.Level = single(v, "log.level", f.Log.Level, parseLevel)
	c.Log.Format = single(v, "log.format", f.Log.Format, parseFormat)
	c.Pools.Global = v.pool("pools.global", f.Pools.Global)
	c.Pools.ExternalName = single(v, "pools.external_name", f.Pools.ExternalName, parseName)
	for i := range f.Neighbors {
		c.Neighbors = append(c.Neighbors, v.neighbor(i, cmp.Or(c.BGP.Families, neighbor.AllFamilies)))
	}
	v.duplicates(c.Neighbors)
	return c
}

// neighbor validates the neighbor at index i.
func (v *validation) neighbor(i int, families neighbor.Families) (s neighbor.Settings) {
	path, raw := fmt.Sprintf("neighbors[%d]", i), v.file.Neighbors[i]
	s.Name = single(v, path+".name", raw.Name, parseName)
	s.Address = single(v, path+".address", raw.Address, parseAddress)
	s.AS = single(v, path+".as", raw.AS, parseAS)
	if v.present(path + ".port") {
		s.Port = single(v, path+".port", raw.Port, parsePort)
	}
	if v.present(path + ".families") {
		s.Families = union(v, path+".families", raw.Families, neighbor.ParseFamilies)
	}
	if v.present(path + ".passive") {
		s.Passive = single(v, path+".passive", raw.Passive, parseBool)
	}
	v.session(path, raw, &s)
	v.restart(path, raw, &s.Restart)
	v.policy(path, raw, &s)
	s = s.WithDefaults(families)
	if fe, ok := errors.AsType[*neighbor.FieldError](s.Validate()); ok {
		v.refuse(path+"."+fe.Field, errors.New(fe.Problem))
	}
	return s.Canonical() // the same settings, said or not
}

// session validates what a neighbor may leave out of its session.
func (v *validation) session(path string, raw fileNeighbor, s *neighbor.Settings) {
	if v.present(path + ".local_address") {
		s.LocalAddress = single(v, path+".local_address", raw.LocalAddress, parseAddress)
	}
	if v.present(path + ".hold_time") {
		s.HoldTime = single(v, path+".hold_time", raw.HoldTime, parseRange[uint16](3, 65535, "seconds"))
	}
	if v.present(path + ".keepalive_time") {
		s.KeepaliveTime = single(v, path+".keepalive_time", raw.KeepaliveTime, parseRange[uint16](1, 21845, "seconds"))
	}
	if v.present(path + ".ttl_security") {
		s.TTLSecurity = single(v, path+".ttl_security", raw.TTLSecurity, parseRange[uint8](1, 254, "hops"))
	}
	if v.present(path + ".multihop") {
		s.Multihop = single(v, path+".multihop", raw.Multihop, parseRange[uint8](1, 255, "hops"))
	}
	if v.present(path + ".md5_key_file") {
		s.MD5Key.File = single(v, path+".md5_key_file", raw.MD5KeyFile, parsePath)
	}
	if v.present(path + ".md5_key_env") {
		s.MD5Key.Env = single(v, path+".md5_key_env", raw.MD5KeyEnv, parseVariable)
	}
}

// restart validates what a neighbor may leave out of the time without a session.
func (v *validation) restart(path string, raw fileNeighbor, r *neighbor.RestartSettings) {
	if v.present(path + ".graceful_restart") {
		r.Without = v.graceful(path+".graceful_restart", raw.GracefulRestart)
	}
	if v.present(path + ".restart_time") {
		r.Time = single(v, path+".restart_time", raw.RestartTime, parseRange[uint16](1, neighbor.MaxRestartTime, "seconds"))
	}
	if v.present(path + ".long_lived_time") {
		r.LongLivedTime = single(v, path+".long_lived_time", raw.LongLivedTime, parseRange[uint32](0, neighbor.MaxLongLivedTime, "seconds"))
	}
	if v.present(path + ".long_lived") {
		r.LongLived = union(v, path+".long_lived", raw.LongLived, neighbor.ParseFamilies)
	}
}

// graceful parses the families with graceful restart and returns the others.
func (v *validation) graceful(path string, names []string) neighbor.Families {
	if len(names) == 0 { // which could mean all as well as none
		v.refuse(path, &mismatch{"families, or " + neighbor.NoFamily, "an empty list"})
		return 0
	}
	// One at a time, so that a refusal says which one.
	list := many(v, path, names, func(name string) (neighbor.Families, error) { return neighbor.ParseGraceful([]string{name}) })
	without := neighbor.AllFamilies
	for _, others := range list {
		if without &= others; others == neighbor.AllFamilies && len(list) > 1 {
			v.refuse(path, fmt.Errorf("expected families, or %s alone, got %s", neighbor.NoFamily, strings.Join(names, ",")))
		}
	}
	return without
}

// policy validates what a neighbor may leave out of what it is sent, and of what
// is taken from it.
func (v *validation) policy(path string, raw fileNeighbor, s *neighbor.Settings) {
	if v.present(path + ".encapsulations") {
		s.Encapsulations = union(v, path+".encapsulations", raw.Encapsulations, vrf.ParseEncapsulations)
	}
	if v.present(path + ".max_advertised") {
		s.MaxAdvertised = single(v, path+".max_advertised", raw.MaxAdvertised, parseRange[uint32](1, 4294967295, "routes"))
	}
	if v.present(path + ".accept_prefixes") {
		s.AcceptPrefixes = v.prefixes(path+".accept_prefixes", raw.AcceptPrefixes)
	}
	if v.present(path + ".accept_targets") {
		s.AcceptTargets = routetarget.NewSet(unique(v, path+".accept_targets", raw.AcceptTargets, routetarget.ParseTarget)...)
	}
	if v.present(path + ".max_received") {
		s.MaxReceived = single(v, path+".max_received", raw.MaxReceived, parseRange[uint32](0, 4294967295, "routes"))
	}
	if v.present(path + ".max_received_action") {
		s.MaxReceivedAction = single(v, path+".max_received_action", raw.MaxReceivedAction, neighbor.ParseMaxReceivedAction)
	}
}

// prefixes parses the prefixes that are taken.
func (v *validation) prefixes(path string, lines []string) neighbor.PrefixFilter {
	if len(lines) == 0 { // which could mean all as well as none
		v.refuse(path, &mismatch{"prefixes, or " + neighbor.NoPrefix, "an empty list"})
		return neighbor.PrefixFilter{}
	}
	// One at a time, so that a refusal says which one.
	before := len(v.problems)
	many(v, path, lines, func(line string) (neighbor.PrefixFilter, error) { return neighbor.ParsePrefixFilter([]string{line}) })
	filter, err := neighbor.ParsePrefixFilter(lines)
	if err != nil && len(v.problems) == before {
		v.refuse(path, err)
	}
	return filter
}

// duplicates refuses a name or an address that an earlier neighbor has.
func (v *validation) duplicates(list []neighbor.Settings) {
	names, addresses := map[string]int{}, map[netip.Addr]int{}
	for i, s := range list {
		path := fmt.Sprintf("neighbors[%d]", i)
		if first, ok := names[s.Name]; ok && s.Name != "" {
			v.refuse(path+".name", fmt.Errorf("%s is already the name of neighbors[%d]", s.Name, first))
		} else {
			names[s.Name] = i
		}
		if first, ok := addresses[s.Address]; ok && s.Address.IsValid() {
			v.refuse(path+".address", fmt.Errorf("%s is already the address of %s", s.Address, v.label(fmt.Sprintf("neighbors[%d]", first))))
		} else {
			addresses[s.Address] = i
		}
	}
}

// present reports whether any source has path. An empty text is there.
func (v *validation) present(path string) bool {
	if strings.HasPrefix(path, "neighbors[") {
		return v.document.nodes[path] != nil
	}
	return v.place(path).source != fromNowhere
}

// refuse notes what is wrong with the value at path, unless something there or
// above it was refused before.
func (v *validation) refuse(path string, err error) {
	for above := path; ; above = above[:max(strings.LastIndexAny(above, ".["), 0)] {
		if v.document.refused[above] {
			return
		}
		if above == "" {
			break
		}
	}
	v.document.refused[path] = true
	v.problems = append(v.problems, problem{v.place(path), v.label(path) + ": " + err.Error()})
}

// label returns the path, and the name of the neighbor that it leads through.
func (v *validation) label(path string) string {
	var i int
	if _, err := fmt.Sscanf(path, "neighbors[%d]", &i); err != nil || strings.HasSuffix(path, ".name") {
		return path
	}
	if name := v.file.Neighbors[i].Name; inventory.CheckID(name) == nil {
		return path + " (" + name + ")"
	}
	return path
}

// single parses one value.
func single[S ~string, T any](v *validation, path string, text S, parse func(string) (T, error)) T {
	value, err := parse(string(text))
	if err != nil && !v.present(path) {
		err = missing(err, path)
	}
	if err != nil {
		v.refuse(path, err)
	}
	return value
}

// many parses a list that must not be empty.
func many[T any](v *validation, path string, texts []string, parse func(string) (T, error)) (list []T) {
	if len(texts) == 0 {
		v.refuse(path, &mismatch{"at least one", "none"})
	}
	for i, text := range texts {
		// Outside the file people write "a, b".
		value, err := parse(strings.TrimSpace(text))
		if err != nil {
			v.refuse(fmt.Sprintf("%s[%d]", path, i), err)
		}
		list = append(list, value)
	}
	return list
}

// union parses a list of the members of a set. It must not be empty.
func union[S ~uint8](v *validation, path string, names []string, parse func([]string) (S, error)) (set S) {
	// One at a time, so that a refusal says which one.
	list := many(v, path, names, func(name string) (S, error) { return parse([]string{name}) })
	for _, member := range list {
		set |= member
	}
	return set
}

// unique parses a list that must not be empty, nor name anything twice.
func unique[T comparable](v *validation, path string, texts []string, parse func(string) (T, error)) []T {
	list := many(v, path, texts, parse)
	seen := map[T]int{}
	for i, value := range list {
		if first, ok := seen[value]; ok {
			v.refuse(fmt.Sprintf("%s[%d]", path, i), fmt.Errorf("%v is already %s[%d]", value, path, first))
		} else {
			seen[value] = i
		}
	}
	return list
}
