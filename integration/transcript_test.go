package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what buoyctl says into the transcripts of testdata")

// TestRefusals: what makes no sense is refused and changes nothing.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp2 --address 10.0.0.12")
	w.ctl("allocate floatingip web-2 --network vn-public --address 203.0.113.6")
	w.associate()
	// It waits for ever, so that nothing about it changes.
	w.ctl("create neighbor mx1 --address 127.0.0.99 --as 64512 --passive")
	before := w.everything()
	w.transcript("refusals.txt", func(line string) {
		if after := w.everything(); after != before {
			t.Errorf("buoyctl %s\nchanged\n%s\ninto\n%s", line, before, after)
			before = after
		}
	})
}

// TestExitStatus: scripts can tell apart why a command failed.
func TestExitStatus(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	moved := "kind: ComputeNode\nname: cmp1\naddress: 10.0.0.12\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(w.buoyd.ConfigFile()), "cmp1.yaml"), []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	w.transcript("exit_status.txt", func(string) {})
}

// everything returns all that there is.
func (w *world) everything() (text string) {
	w.t.Helper()
	for _, kind := range []string{"networks", "computenodes", "neighbors", "floatingips", "routes"} {
		text += fmt.Sprintf("%s\n%s", kind, w.ctl("get "+kind+" -o json"))
	}
	return text
}

// transcript runs every "$ buoyctl …" line of a file and compares the file with
// what buoyctl says.
func (w *world) transcript(name string, after func(line string)) {
	w.t.Helper()
	file := filepath.Join("testdata", name)
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	want := string(data)
	got := ""
	for line := range strings.Lines(want) {
		command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ buoyctl ")
		switch {
		case ok:
			r := w.try(command)
			got += line + r.Stdout + r.Stderr
			if r.Code != 0 {
				got += fmt.Sprintf("[%d]\n", r.Code)
			}
			after(command)
		case line == "\n", strings.HasPrefix(line, "#"):
			got += line
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.sameLines(file, got, want)
}

// sameLines reports where two texts begin to differ.
func (w *world) sameLines(file, got, want string) {
	w.t.Helper()
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			w.t.Errorf("%s:%d: got\n%s\nwant\n%s", file, i+1,
				strings.Join(gotLines[min(i, len(gotLines)):min(i+3, len(gotLines))], "\n"),
				strings.Join(wantLines[min(i, len(wantLines)):min(i+3, len(wantLines))], "\n"))
			return
		}
	}
}
