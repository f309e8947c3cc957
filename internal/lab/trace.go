package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Tracer is a gateway that keeps book of its VPNv4 table. However often one
// looks at a table, a route may have been gone for a moment in between; a router
// that keeps book does not overlook that.
type Tracer interface {
	Labels(context.Context, Family) (Labels, error)
	// Trace begins a new book.
	Trace(context.Context) error
	// Traced returns the routes that were added, changed or removed since then,
	// or since it was last called. What was announced again as it was is none.
	Traced(context.Context) (map[vrf.Key]bool, error)
}

// bgpd counts how often best paths changed. Each route has the number of its
// last change.

// Trace begins a new book.
func (f *FRR) Trace(ctx context.Context) (err error) {
	f.versions, err = f.tableVersions(ctx)
	return err
}

// Traced returns what changed since the last call.
func (f *FRR) Traced(ctx context.Context) (map[vrf.Key]bool, error) {
	now, err := f.tableVersions(ctx)
	if err != nil {
		return nil, err
	}
	changed := map[vrf.Key]bool{}
	for key, version := range now {
		if old, ok := f.versions[key]; !ok || old != version {
			changed[key] = true
		}
	}
	for key := range f.versions {
		if _, ok := now[key]; !ok {
			changed[key] = true
		}
	}
	f.versions = now
	return changed, nil
}

func (f *FRR) tableVersions(ctx context.Context) (map[vrf.Key]uint64, error) {
	text, err := f.CLI(ctx, frrVPNCommand(VPNv4)+" json")
	if err != nil {
		return nil, err
	}
	var table struct {
		Routes struct {
			RDs map[routetarget.Distinguisher]map[netip.Prefix][]struct{ Version uint64 } `json:"routeDistinguishers"`
		}
	}
	if err := json.Unmarshal([]byte(text), &table); err != nil {
		return nil, fmt.Errorf("decode vtysh table: %w", err)
	}
	versions := map[vrf.Key]uint64{}
	for rd, routes := range table.Routes.RDs {
		for prefix, paths := range routes {
			for _, p := range paths { // all have the route's
				versions[vrf.Key{RD: rd, Prefix: prefix}] = p.Version
			}
		}
	}
	return versions, nil
}

// book is a file that a router writes to, and where the current one begins.
type book struct {
	file  string
	begin int
}

func (b *book) open(file string) error {
	data, err := os.ReadFile(file)
	b.file, b.begin = file, len(data)
	return err
}

func (b *book) read(entry *regexp.Regexp) (map[vrf.Key]bool, error) {
	data, err := os.ReadFile(b.file)
	if err != nil {
		return nil, err
	}
	changed := newLabelReader()
	end := bytes.LastIndexByte(data, '\n') + 1 // it may be at a line right now
	for _, m := range entry.FindAllSubmatch(data[b.begin:end], -1) {
		changed.route(string(m[1]), string(m[2]))
	}
	b.begin = end
	keys := map[vrf.Key]bool{}
	for key := range changed.labels {
		keys[key] = true
	}
	return keys, changed.err
}

// birdTraced is a line of bird's log:
//
//	… <TRACE> buoy.vpn4-mpls > removed [sole] 10.0.0.11:1 203.0.113.5/32 0L 3G unicast
//
// A route that is announced again as it was is "ignored".
var birdTraced = regexp.MustCompile(`> (?:added|updated|removed)(?: \[\w+\])? (\S+) ([\d.]+/\d+) `)

// Trace begins a new book.
func (b *Bird) Trace(ctx context.Context) error {
	if _, err := b.CLI(ctx, "debug", "buoy", "{", "routes", "}"); err != nil {
		return err
	}
	return b.book.open(b.LogFile())
}

// Traced returns what changed since the last call.
func (b *Bird) Traced(context.Context) (map[vrf.Key]bool, error) { return b.book.read(birdTraced) }

// gobgpTraced is a line of gobgp monitor:
//
//	2026-11-23T13:17:29Z [DELROUTE] 10.0.0.11:1:198.18.1.5/32 via 10.0.0.11 aspath [] attrs […]
var gobgpTraced = regexp.MustCompile(`\[(?:DEL)?ROUTE\] ([^:\s]+:[^:\s]+):([\d.]+/\d+) `)

// Trace begins a new book. The first one has begun when the monitor writes: to
// be sure of that takes a change.
func (g *GoBGP) Trace(context.Context) (err error) {
	file := filepath.Join(g.config.Dir, "monitor.log")
	if g.monitor == nil {
		args := append(g.Options(), "monitor", "global", "rib", "-a", gobgpFamilies[VPNv4].vpn)
		if g.monitor, err = (Command{Path: g.programs.GoBGP, Args: args, Log: file}).Start(); err != nil {
			return err
		}
	}
	return g.book.open(file)
}

// Traced returns what changed since the last call.
func (g *GoBGP) Traced(context.Context) (map[vrf.Key]bool, error) { return g.book.read(gobgpTraced) }
