package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is something that goes wrong, and who must say so.
type fault struct {
	name   string
	inject func()
	mend   func() // nil if it is where the world begins: what is injected next mends it
	ask    string // of buoyctl
	cause  string // explain: the step; doctor: the findings that are not well, the worst first
	truth  string // a piece of the answer
	open   bool   // the world is not well after it is mended: it is the next fault already
}

// faultWorlds are worlds in which faults follow each other.
var faultWorlds = []struct {
	name   string
	routes func(t *testing.T) (*world, []fault)
}{
	{"addresses", addressFaults},
	{"sessions", sessionFaults},
	{"wire", wireFaults},
	{"routes", routeFaults},
	{"memberships", membershipFaults},
	{"nodes", nodeFaults},
	{"clusters", clusterFaults},
	{"disk", diskFaults},
}

// told is what was answered to a fault.
type told struct {
	world, at int
	fault
	answered time.Duration // how long the command took that gave the true answer
	found    time.Duration // from the fault until that answer
}

// row returns what does not change from run to run.
func (r told) row() string {
	return fmt.Sprintf("| %s | `buoyctl %s` | %s | … %s … |", r.name, r.ask, cmp.Or(r.cause, "(healthy)"), r.truth)
}

func (r told) String() string {
	return fmt.Sprintf("%s %s | %s |", r.row(), r.answered.Round(time.Millisecond), r.found.Round(10*time.Millisecond))
}

// TestFaults: faults that are injected for real are named by explain or doctor, and
// when they are mended all is well again. docs/faults.md has them.
func TestFaults(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var all []told
	whole := true // nothing was left out
	t.Run("in", func(t *testing.T) {
		for i, group := range faultWorlds {
			t.Run(group.name, func(t *testing.T) {
				complete := false
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					whole = whole && complete
				}()
				w, faults := group.routes(t)
				for at, f := range faults {
					r := w.suffers(f)
					r.world, r.at = i, at
					mu.Lock()
					all = append(all, r)
					mu.Unlock()
				}
				complete = true
			})
		}
	})
	slices.SortFunc(all, func(a, b told) int { return cmp.Or(cmp.Compare(a.world, b.world), cmp.Compare(a.at, b.at)) })
	worlds := map[int]bool{}
	var lines, rows []string
	for _, r := range all {
		worlds[r.world] = true
		lines, rows = append(lines, r.String()), append(rows, r.row())
	}
	t.Logf("%d faults:\n%s", len(all), strings.Join(lines, "\n"))
	switch {
	case !whole || len(worlds) < len(faultWorlds): // -run chose some, or a router is missing
	case len(all) < 20:
		t.Errorf("%d faults, want at least 20", len(all))
	case *update:
		documented(t, lines, true)
	default:
		documented(t, rows, false)
	}
}

// documented compares the rows of docs/faults.md with those of this run, or writes them.
func documented(t *testing.T, lines []string, write bool) {
	t.Helper()
	const file, head = "../docs/faults.md", "|---|---|---|---|---:|---:|\n"
	data, err := os.ReadFile(file)
	before, table, ok := strings.Cut(string(data), head)
	if err != nil || !ok {
		t.Fatalf("%s: %v", file, err)
	}
	table, after, _ := strings.Cut(table, "\n\n")
	if write {
		must(t, os.WriteFile(file, []byte(before+head+strings.Join(lines, "\n")+"\n\n"+after), 0o644))
		return
	}
	var got []string // without the times
	for line := range strings.Lines(table) {
		cells := strings.SplitAfter(strings.TrimSpace(line), " | ")
		got = append(got, strings.TrimSpace(strings.Join(cells[:max(0, len(cells)-2)], "")))
	}
	(&world{t: t}).sameLines(file, strings.Join(got, "\n"), strings.Join(lines, "\n"))
}

// suffers injects a fault, waits until it is named, and mends it.
func (w *world) suffers(f fault) told {
	w.t.Helper()
	f.inject()
	began, answered := time.Now(), time.Duration(0)
	w.eventually(f.name+": "+f.ask, func(context.Context) error {
		asked := time.Now()
		text, cause, err := w.asks(f.ask)
		answered = time.Since(asked)
		if err == nil && (cause != f.cause || !strings.Contains(text, f.truth)) {
			err = fmt.Errorf("it says\n%s: %s\nand not\n%s: %s", cause, text, f.cause, f.truth)
		}
		return err
	})
	r := told{fault: f, answered: answered, found: time.Since(began)}
	if f.mend != nil {
		f.mend()
	}
	if !f.open {
		w.isWell(f.name)
	}
	return r
}

// isWell waits until explain and doctor find nothing.
func (w *world) isWell(after string) {
	w.t.Helper()
	for _, ask := range []string{"explain web-1", "doctor"} {
		w.eventually("all is well after "+after, func(context.Context) error {
			text, cause, err := w.asks(ask)
			if err == nil && cause != "" {
				err = fmt.Errorf("%s says %s: %s", ask, cause, text)
			}
			return err
		})
	}
}

// asks asks explain or doctor. The cause is empty if all is well.
func (w *world) asks(ask string) (text, cause string, err error) {
	r := w.try(ask + " -o json")
	if ask == "doctor" {
		return doctorSays(r.Stdout, r.Code)
	}
	return explainSays(r.Stdout, r.Code)
}

func doctorSays(output string, code int) (text, cause string, err error) {
	var e examination
	if err := json.Unmarshal([]byte(output), &e); err != nil {
		return "", "", fmt.Errorf("%s: %w", output, err)
	}
	var ids, texts []string
	for _, f := range e.Findings {
		if f.Severity != "INFO" {
			ids = append(ids, f.ID)
			texts = append(texts, fmt.Sprintf("%s: %s > %s", f.Subject, f.Cause, f.Remedy))
		}
	}
	if (code == 7) == e.Healthy || e.Healthy != (len(ids) == 0) {
		return "", "", fmt.Errorf("exit status %d: %s", code, output)
	}
	return strings.Join(texts, "\n"), strings.Join(ids, " "), nil
}

// explainSays returns the cause, or the first step that warns although the address can
// be reached.
func explainSays(output string, code int) (text, cause string, err error) {
	type step struct {
		ID, Status, Text string
		Next             string `json:"next_step"`
	}
	var e struct {
		explained
		Steps   []step
		WayBack []step `json:"way_back"`
		Paths   []struct {
			Steps     []step
			Neighbors []struct{ Steps []step }
		}
	}
	if err := json.Unmarshal([]byte(output), &e); err != nil {
		return "", "", fmt.Errorf("%s: %w", output, err)
	}
	if (code == 7) == e.Healthy || e.Healthy != (e.Cause == "") {
		return "", "", fmt.Errorf("exit status %d: %s", code, output)
	}
	if !e.Healthy {
		return e.Summary + " > " + e.Next, e.Cause, nil
	}
	steps := append(e.Steps, e.WayBack...)
	for _, p := range e.Paths {
		steps = append(steps, p.Steps...)
		for _, n := range p.Neighbors {
			steps = append(steps, n.Steps...)
		}
	}
	for _, s := range steps {
		switch s.Status {
		case "WARNING", "FAILED":
			return s.Text + " > " + s.Next, s.ID + " !", nil
		case "OK", "SKIPPED":
		default:
			return "", "", errors.New("a step is " + s.Status)
		}
	}
	return e.Summary, "", nil
}

// does returns a step that runs commands of buoyctl.
func (w *world) does(lines ...string) func() {
	return func() {
		w.t.Helper()
		for _, line := range lines {
			w.ctl(line)
		}
	}
}
