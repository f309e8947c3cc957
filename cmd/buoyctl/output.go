package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// The forms of output.
const (
	asTable = "table"
	asWide  = "wide"
	asJSON  = "json"
	asYAML  = "yaml"
	asName  = "name"
)

func (a *app) outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.output, "output", "o", asTable, "table, wide, json, yaml or name")
}

func (a *app) checkOutput() error {
	switch a.output {
	case asTable, asWide, asJSON, asYAML, asName:
		return nil
	}
	return fmt.Errorf("--output: expected table, wide, json, yaml or name, got %q", a.output)
}

// column is one of a table. A wide one is shown with -o wide only.
type column[T proto.Message] struct {
	title string
	wide  bool
	value func(T) string
}

// printOne writes one resource.
func printOne[T proto.Message](a *app, m T, name func(T) string, columns []column[T]) error {
	if a.output != asJSON {
		return printAll(a, []T{m}, name, columns)
	}
	text, err := toJSON(m)
	if err != nil {
		return err
	}
	return indent(a.stdout, text)
}

// printAll writes a list of resources.
func printAll[T proto.Message](a *app, list []T, name func(T) string, columns []column[T]) error {
	switch a.output {
	case asJSON:
		texts := make([][]byte, 0, len(list))
		for _, m := range list {
			text, err := toJSON(m)
			if err != nil {
				return err
			}
			texts = append(texts, text)
		}
		return indent(a.stdout, []byte("["+string(bytes.Join(texts, []byte(",")))+"]"))
	case asYAML:
		for i, m := range list {
			if i > 0 {
				if _, err := fmt.Fprintln(a.stdout, "---"); err != nil {
					return err
				}
			}
			if err := printYAML(a.stdout, m, everyField); err != nil {
				return err
			}
		}
		return nil
	case asName:
		for _, m := range list {
			if _, err := fmt.Fprintln(a.stdout, name(m)); err != nil {
				return err
			}
		}
		return nil
	}
	return a.printTable(len(list) == 0, func(w io.Writer) {
		row(w, columns, a.output == asWide, func(c column[T]) string { return c.title })
		for _, m := range list {
			row(w, columns, a.output == asWide, func(c column[T]) string { return c.value(m) })
		}
	})
}

func (a *app) printTable(empty bool, fill func(io.Writer)) error {
	if empty {
		fmt.Fprintln(a.stderr, "nothing found")
		return nil
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fill(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(a.stdout, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func row[T proto.Message](w io.Writer, columns []column[T], wide bool, cell func(column[T]) string) {
	var cells []string
	for _, c := range columns {
		if wide || !c.wide {
			cells = append(cells, orDash(cell(c)))
		}
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// everyField uses the API's field names and writes every field, so that scripts
// need not know defaults.
var everyField = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}

func toJSON(m proto.Message) ([]byte, error) { return everyField.Marshal(m) }

// printLine writes the JSON form on one line.
func printLine(w io.Writer, m proto.Message) error {
	text, err := toJSON(m)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(w)
	return err
}

// indent makes the text stable: protojson varies its blanks on purpose.
func indent(w io.Writer, text []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// printYAML writes the JSON form as YAML blocks, with the fields in the same
// order. A resource is a document that apply takes.
func printYAML(w io.Writer, m proto.Message, form protojson.MarshalOptions) error {
	text, err := form.Marshal(m)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil { // JSON is YAML
		return err
	}
	block(&node)
	if kind := kindOf(m); kind != "" && len(node.Content) == 1 {
		top := node.Content[0]
		top.Content = append([]*yaml.Node{{Kind: yaml.ScalarNode, Value: kindField}, {Kind: yaml.ScalarNode, Value: kind}}, top.Content...)
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return err
	}
	return enc.Close()
}

func block(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode && len(n.Content) == 0 {
		return // [] and {} have no other form
	}
	n.Style = 0
	for _, c := range n.Content {
		block(c)
	}
}

// section writes "Title: value" lines with the values in one column.
type section struct {
	w *tabwriter.Writer
}

func newSection(w io.Writer) section { return section{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (s section) line(title, value string) { fmt.Fprintf(s.w, "%s:\t%s\n", title, orDash(value)) }

// more writes one more value of the line above.
func (s section) more(value string) { fmt.Fprintf(s.w, "\t%s\n", value) }

// maxDescribed is how many parts of a resource describe lists.
const maxDescribed = 20

// lines writes n values, each on a line of its own; the first ones, if there
// are many.
func (s section) lines(title string, n int, value func(i int) string) {
	if n == 0 {
		s.line(title, "")
		return
	}
	s.line(title, value(0))
	for i := 1; i < min(n, maxDescribed); i++ {
		s.more(value(i))
	}
	if n > maxDescribed {
		s.more(fmt.Sprintf("and %d more", n-maxDescribed))
	}
}

func (s section) list(title string, values []string) { s.line(title, strings.Join(values, ", ")) }

func (s section) flush() error { return s.w.Flush() }

// report writes what a change did: the resource in the form that was asked
// for, or one line.
func report[T proto.Message](a *app, m T, name func(T) string, columns []column[T], what string) error {
	if a.output == asTable {
		_, err := fmt.Fprintf(a.stdout, "%s %s\n", name(m), what)
		return err
	}
	return printOne(a, m, name, columns)
}
