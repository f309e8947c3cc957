package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Labels are the routes of a VPN table with their labels, and nothing more of
// them: what a look at ten thousand routes can afford, again and again. Of the
// paths of a route it is the one that the router shows first.
type Labels map[vrf.Key]uint32

// LabelsOf returns the labels of routes.
func LabelsOf(routes []Route) Labels {
	l := Labels{}
	for _, r := range routes {
		l[vrf.Key{RD: r.RD, Prefix: r.Prefix}] = r.Label
	}
	return l
}

// Labels returns what the VPN table has. A path that bgpd has removed, but not
// yet forgotten, is none.
func (f *FRR) Labels(ctx context.Context, family Family) (Labels, error) {
	_, text, err := f.ShowVPN(ctx, family)
	if err != nil {
		return nil, err
	}
	return parseFRRLabels(text)
}

// Labels returns what the VPN table has.
func (b *Bird) Labels(ctx context.Context, family Family) (Labels, error) {
	text, err := b.CLI(ctx, "show", "route", "table", birdVPN[family])
	if err != nil {
		return nil, err
	}
	return parseBirdLabels(text)
}

// Labels returns what the VPN table has.
func (g *GoBGP) Labels(ctx context.Context, family Family) (Labels, error) {
	_, text, err := g.ShowVPN(ctx, family)
	if err != nil {
		return nil, err
	}
	return parseGoBGPLabels(text)
}

// parseFRRLabels reads a distinguisher, and below it routes of two lines:
//
//	*>i198.18.1.0/32    10.0.0.11                     100      0 ?
//	     EC{64512:10003 ET:2} label=100000 type=bgp, subtype=0
//
// The first letter is S for a stale path, R for one that is removed. Further
// paths of a route have no prefix.
func parseFRRLabels(text string) (Labels, error) {
	l := newLabelReader()
	rd := ""
	for line := range strings.Lines(text) {
		if words, ok := strings.CutPrefix(line, "Route Distinguisher: "); ok {
			rd, _, _ = strings.Cut(strings.TrimSpace(words), " ")
		} else if _, label, ok := strings.Cut(line, " label="); ok {
			label, _, _ = strings.Cut(label, " ")
			l.label(label)
		} else if rd == "" || len(line) < 4 || !strings.ContainsRune("S*R", rune(line[0])) {
			continue
		} else if prefix, _, _ := strings.Cut(strings.TrimSpace(line[3:]), " "); strings.Contains(prefix, "/") && line[0] != 'R' {
			l.route(rd, prefix)
		} else {
			l.other()
		}
	}
	return l.labels, l.err
}

// parseBirdLabels reads routes of two lines: birdHead, and where it leads.
func parseBirdLabels(text string) (Labels, error) {
	l := newLabelReader()
	for line := range strings.Lines(text) {
		if _, label, ok := strings.Cut(line, " mpls "); ok && line[0] == '\t' {
			l.label(strings.TrimSpace(label))
		} else if rd, rest, ok := strings.Cut(line, " "); ok && strings.Contains(rd, ":") && rd != "" && line[0] != '\t' && line[0] != 'T' {
			prefix, _, _ := strings.Cut(rest, " ")
			l.route(rd, prefix)
		} else {
			l.other()
		}
	}
	return l.labels, l.err
}

// parseGoBGPLabels reads routes of one line, below a title:
//
//	*> 10.0.0.11:1:198.18.12.230/32 [103048]   10.0.0.11   …
//
// The first letter is S for a stale path.
func parseGoBGPLabels(text string) (Labels, error) {
	l := newLabelReader()
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || !strings.HasPrefix(words[2], "[") || !strings.HasSuffix(words[0], ">") {
			continue
		}
		at := strings.Index(words[1], ":") + 1
		at += strings.Index(words[1][at:], ":")
		l.route(words[1][:at], words[1][at+1:])
		l.label(strings.Trim(words[2], "[]"))
	}
	return l.labels, l.err
}

// labelReader collects labels. Distinguishers repeat.
type labelReader struct {
	labels Labels
	rds    map[string]routetarget.Distinguisher
	last   *vrf.Key // which a label belongs to, nil if to none
	err    error    // the first
}

func newLabelReader() *labelReader {
	return &labelReader{labels: Labels{}, rds: map[string]routetarget.Distinguisher{}}
}

func (l *labelReader) fail(err error) {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("read routes: %w", err)
	}
}

func (l *labelReader) route(distinguisher, prefix string) {
	rd, ok := l.rds[distinguisher]
	if !ok {
		var err error
		rd, err = routetarget.ParseDistinguisher(distinguisher)
		l.fail(err)
		l.rds[distinguisher] = rd
	}
	p, err := netip.ParsePrefix(prefix)
	l.fail(err)
	l.last = &vrf.Key{RD: rd, Prefix: p}
	l.labels[*l.last] = 0
}

func (l *labelReader) label(text string) {
	if l.last == nil {
		return
	}
	n, err := parseUint32(text)
	l.fail(err)
	l.labels[*l.last] = n
	l.last = nil
}

// other says that a label that follows belongs to no route that was told.
func (l *labelReader) other() { l.last = nil }
