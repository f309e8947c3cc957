package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/buoynet/buoy/internal/dataplane"
)

// noted is the file of what was programmed last: what each control node has said.
type noted struct {
	Servers []notedServer `json:"servers"`
}

type notedServer struct {
	Server    string          `json:"server"`
	Programme json.RawMessage `json:"programme"`
}

// saver returns what writes the views to a file, if they differ from what is there.
func saver(file string) func([]*view) error {
	last := ""
	return func(views []*view) error {
		var n noted
		for _, v := range views {
			n.Servers = append(n.Servers, notedServer{v.server, v.programme().JSON()})
		}
		text, err := json.MarshalIndent(n, "", "  ")
		if err != nil || string(text) == last {
			return err
		}
		if err := write(file, append(text, '\n')); err != nil {
			return err
		}
		last = string(text)
		return nil
	}
}

// write replaces a file by a whole one. It is not forced to the disk: whoever loses power
// has lost the kernel's state, too.
func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	next := file + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// recall loads the views that an earlier run has noted. A file that makes no sense is an
// error, and loads nothing: what is in the kernel stays until buoyd has said all.
func recall(file string, views []*view) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var n noted
	if err := json.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	parsed := map[string]dataplane.Programme{}
	for _, s := range n.Servers {
		if parsed[s.Server], err = dataplane.ParseProgramme(s.Programme); err != nil {
			return fmt.Errorf("%s: %s: %w", file, s.Server, err)
		}
	}
	for _, v := range views {
		v.load(parsed[v.server])
	}
	return nil
}
