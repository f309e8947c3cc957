package main

import (
	"fmt"
	"slices"
	"strings"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// watchPrinter writes destinations as they come.
type watchPrinter struct {
	*app
	widths []int // of the columns, so far
}

func (p *watchPrinter) print(list []*buoyv1.Destination) error {
	if len(list) > 0 && (p.output == asTable || p.output == asWide) {
		return p.printRows(list)
	}
	for _, d := range list {
		if err := p.printOne(d); err != nil {
			return err
		}
	}
	return nil
}

func (p *watchPrinter) printOne(d *buoyv1.Destination) error {
	switch p.output {
	case asJSON:
		return printLine(p.stdout, d)
	case asYAML:
		if _, err := fmt.Fprintln(p.stdout, "---"); err != nil {
			return err
		}
		return printYAML(p.stdout, d, everyField)
	default:
		name := d.Table + " " + d.Prefix
		if len(d.Routes) == 0 {
			name += " gone"
		}
		_, err := fmt.Fprintln(p.stdout, name)
		return err
	}
}

// printRows writes a row for each route; for a destination that is gone, one that
// says so.
func (p *watchPrinter) printRows(list []*buoyv1.Destination) error {
	columns := slices.DeleteFunc(slices.Clone(rankedColumns), func(c routeColumn) bool { return c.wide && p.output != asWide || c.title == "TABLES" })
	var rows [][]string
	if p.widths == nil {
		p.widths = make([]int, len(columns)+1)
		titles := []string{"TABLE"}
		for _, c := range columns {
			titles = append(titles, c.title)
		}
		rows = append(rows, titles)
	}
	for _, d := range list {
		for _, r := range d.Routes {
			cells := []string{short(d.Table)}
			for _, c := range columns {
				cells = append(cells, orDash(c.value(r)))
			}
			rows = append(rows, cells)
		}
		if len(d.Routes) == 0 {
			cells := []string{short(d.Table)}
			for _, c := range columns {
				cells = append(cells, orDash(map[string]string{"PREFIX": d.Prefix, "STATE": "gone"}[c.title]))
			}
			rows = append(rows, cells)
		}
	}
	for _, cells := range rows {
		for i, cell := range cells {
			p.widths[i] = max(p.widths[i], len(cell))
		}
	}
	for _, cells := range rows {
		var b strings.Builder
		for i, cell := range cells {
			fmt.Fprintf(&b, "%-*s   ", p.widths[i], cell)
		}
		if _, err := fmt.Fprintln(p.stdout, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
