package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is how large a file may be; 20 000 documents are a part of that.
const maxFile = 64 << 20

// standardInput stands for it in the place of a file.
const standardInput = "-"

// readFiles reads the documents of some files.
func (a *app) readFiles(names []string) (list []*document, err error) {
	for _, name := range names {
		documents, err := a.readFile(name)
		if err != nil {
			return nil, err
		}
		list = append(list, documents...)
	}
	return list, nil
}

func (a *app) readFile(name string) ([]*document, error) {
	var from io.Reader = a.stdin
	if name == standardInput {
		name = "standard input"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: expected at most %d bytes; make several files of it", name, maxFile)
	}
	list, err := readDocuments(name, text)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: expected a document, got none", name)
	}
	return list, err
}

// readDocuments reads YAML documents. Empty ones are left out.
func readDocuments(file string, text []byte) (list []*document, err error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: expected UTF-8", file)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for number := 1; ; number++ {
		var node yaml.Node
		d := &document{file: file, number: number}
		switch err := decoder.Decode(&node); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, d.unreadable(err, text)
		}
		if node.Kind != yaml.DocumentNode || len(node.Content) == 0 {
			continue
		}
		if d.node = node.Content[0]; d.node.Tag == "!!null" {
			continue
		}
		if err := d.plain(d.node, ""); err != nil {
			return nil, err
		}
		if err := d.read(); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// countedFromZero are the errors with whose lines the parser begins at 0.
var countedFromZero = regexp.MustCompile(`^did not find expected (key|'-' indicator|',' or '[\]}]'|node content|<)`)

// unreadable says why something is not YAML.
func (d *document) unreadable(err error, text []byte) error {
	parts := yamlLine.FindStringSubmatch(err.Error())
	line, convErr := strconv.Atoi(parts[1])
	if convErr != nil {
		line = 1
	}
	if countedFromZero.MatchString(parts[2]) {
		line++
	}
	for _, at := range []int{line, line + 1} { // it gave up in front of it
		if indent := indentOf(text, at); strings.Contains(indent, "\t") {
			return d.refuse(at, "", "indented with a tab; YAML is indented with spaces")
		}
	}
	return d.refuse(line, "", "this is not YAML: %s", clip(parts[2]))
}

// indentOf returns the blanks that a line begins with.
func indentOf(text []byte, line int) string {
	for i := 1; i < line; i++ {
		_, rest, more := bytes.Cut(text, []byte("\n"))
		if !more {
			return ""
		}
		text = rest
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return string(first[:len(first)-len(bytes.TrimLeft(first, " \t"))])
}
