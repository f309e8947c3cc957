package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// event is what became of a resource.
type event[T proto.Message] struct {
	name     string
	resource T // as it was last, if it is gone
	gone     bool
}

// resourcePrinter prints events in the form that was asked for: lines of a table, JSON
// objects of one line each, YAML documents or names.
type resourcePrinter[T proto.Message] struct {
	a       *app
	columns []column[T]
	nameOf  func(T) string

	widths []int // of the table
	more   bool  // something was printed
}

// events prints what is new. All of it comes with a title.
func (p *resourcePrinter[T]) events(all bool, list []event[T]) error {
	if p.a.output == asTable || p.a.output == asWide {
		return p.table(all, list)
	}
	for _, e := range list {
		text, err := p.text(e)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(p.a.stdout, text); err != nil {
			return err
		}
		p.more = true
	}
	return nil
}

func (p *resourcePrinter[T]) text(e event[T]) (string, error) {
	switch p.a.output {
	case asJSON:
		text := fmt.Appendf(nil, `{"deleted":%q}`, e.name)
		if !e.gone {
			var err error
			if text, err = toJSON(e.resource); err != nil {
				return "", err
			}
		}
		var line bytes.Buffer
		err := json.Compact(&line, text)
		return line.String(), err
	case asYAML:
		var b strings.Builder
		if p.more {
			b.WriteString("---\n")
		}
		if e.gone {
			b.WriteString("deleted: " + e.name)
			return b.String(), nil
		}
		err := printYAML(&b, e.resource, everyField)
		return strings.TrimSuffix(b.String(), "\n"), err
	default:
		if e.gone {
			return e.name + " " + p.end(), nil
		}
		return e.name, nil
	}
}

// table prints lines. The columns keep their widths as long as what comes fits in.
func (p *resourcePrinter[T]) table(all bool, list []event[T]) error {
	var rows [][]string
	if (all || !p.more) && len(list) > 0 {
		rows = append(rows, p.cells(func(c column[T]) string { return c.title }))
	}
	if all && len(list) == 0 {
		fmt.Fprintln(p.a.stderr, "nothing found")
	}
	for _, e := range list {
		cells := p.cells(func(c column[T]) string { return c.value(e.resource) })
		if e.gone {
			cells = append(cells[:p.named()], p.end())
		}
		rows = append(rows, cells)
		p.more = true
	}
	for _, cells := range rows {
		for i, cell := range cells {
			if i == len(p.widths) {
				p.widths = append(p.widths, 0)
			}
			p.widths[i] = max(p.widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range rows {
		var line strings.Builder
		for i, cell := range cells {
			fmt.Fprintf(&line, "%-*s", p.widths[i]+3, cell)
		}
		if _, err := fmt.Fprintln(p.a.stdout, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

func (p *resourcePrinter[T]) cells(cell func(column[T]) string) (cells []string) {
	for _, c := range p.columns {
		if !c.wide || p.a.output == asWide {
			cells = append(cells, orDash(cell(c)))
		}
	}
	return cells
}

// end says what became of a resource. With a filter it may still be there.
func (p *resourcePrinter[T]) end() string {
	if p.a.filter != "" {
		return "gone"
	}
	return "deleted"
}

// named returns how many cells name a resource.
func (p *resourcePrinter[T]) named() int {
	if p.columns[0].title == projectTitle {
		return 2
	}
	return 1
}
