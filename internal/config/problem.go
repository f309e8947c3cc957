package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// source is where a value comes from, in the order in which problems are told.
type source uint8

const (
	fromFile    source = iota
	fromNowhere        // a required key that nobody gave
	fromUnknown        // a variable that is no key
	fromEnv
	fromFlag
)

// place is a position in one of the sources.
type place struct {
	source       source
	line, column int
	text         string // "buoyd.yaml:7", "flag --bgp-as"
}

// problem is one line of Load's error.
type problem struct {
	place
	text string
}

func (p problem) Error() string {
	if p.place.text == "" {
		return p.text
	}
	return p.place.text + ": " + p.text
}

// join makes one error of all problems, sorted by place, or nil of none.
func join(problems []problem) error {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	var list []error
	for _, p := range problems {
		list = append(list, p)
	}
	return errors.Join(list...)
}

// mismatch says what was expected and what was there instead.
type mismatch struct {
	want, got string
}

func (m *mismatch) Error() string { return "expected " + m.want + ", got " + m.got }

func expected(want, got string) error { return &mismatch{want, fmt.Sprintf("%q", got)} }

// missing is err, but for a value that is not there at all. It says where one
// could have been.
func missing(err error, path string) error {
	m, ok := errors.AsType[*mismatch](err)
	if !ok {
		return err
	}
	got := "nothing"
	if i := slices.IndexFunc(keys, func(k key) bool { return k.path == path }); i >= 0 {
		got += fmt.Sprintf(" (set it in the file, with %s or --%s)", keys[i].env(), keys[i].flag())
	}
	return &mismatch{m.want, got}
}

// show returns a name from outside such that it stays one word of one line.
func show(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '"' }) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// didYouMean suggests the candidate that is the fewest typing errors away.
func didYouMean(name string, candidates []string) string {
	best, limit := "", 3
	if word := name[strings.LastIndex(name, ".")+1:]; len(word) < 5 {
		limit = 2 // almost any two short words are two letters apart
	}
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// distance counts the letters to add, drop or replace between a and b.
func distance(a, b string) int {
	if len(a) > len(b)+3 {
		return len(a) - len(b) // spares the work on an absurdly long name
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
