package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what buoyctl does into the transcripts")

// Each file of testdata is what an operator typed and saw, on a server of its
// own:
//
//	$ the arguments of buoyctl, or of several with | in between
//	> a line on stdout
//	! a line on stderr
//	= the exit status, if it is not 0
//
// Empty lines and lines that begin with # are kept as they are. A file may begin
// with the pools.global of the daemon's configuration.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: got %v, %v, want some", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s (go test -update writes it):\n%s", file, firstDifference(got, string(want)))
			}
		})
	}
}

// replay runs the commands of a transcript and returns the transcript of that.
func replay(t *testing.T, transcript string) string {
	server := serve(t, globalPool(transcript))
	var b strings.Builder
	for line := range strings.Lines(transcript) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			if !strings.HasPrefix(line, ">") && !strings.HasPrefix(line, "!") && !strings.HasPrefix(line, "=") {
				b.WriteString(line)
			}
			continue
		}
		b.WriteString(line)
		var o outcome
		for part := range strings.SplitSeq(command, " | ") {
			args, err := split(strings.ReplaceAll(strings.TrimSpace(part), "SERVER", server))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			o = pipeInto(t.Context(), o.stdout, server, args...)
		}
		record(&b, ">", stable(o.stdout, server))
		record(&b, "!", stable(o.stderr, server))
		if o.status != exitOK {
			fmt.Fprintf(&b, "= %d\n", o.status)
		}
	}
	return b.String()
}

func globalPool(transcript string) string {
	first, _, _ := strings.Cut(transcript, "\n")
	if pool, ok := strings.CutPrefix(first, "# pools.global: "); ok {
		return pool
	}
	return ""
}

func record(b *strings.Builder, mark, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		b.WriteString(strings.TrimSuffix(mark+" "+line, " ") + "\n")
	}
}

var unstable = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`\b1m3\ds`), "1m30s"}, // an age
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "2026-03-01T12:00:00Z"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2026-03-01 12:00:00"},
}

// stable takes out what differs from run to run.
func stable(text, server string) string {
	text = strings.ReplaceAll(text, server, "SERVER")
	for _, u := range unstable {
		text = u.re.ReplaceAllString(text, u.by)
	}
	return text
}

// split splits a line as a shell does, with 'single' quotes alone.
func split(line string) (args []string, err error) {
	var arg strings.Builder
	begun, quoted := false, false
	for _, c := range line {
		switch {
		case c == '\'':
			begun, quoted = true, !quoted
		case c == ' ' && !quoted:
			if begun {
				args = append(args, arg.String())
			}
			arg.Reset()
			begun = false
		default:
			begun = true
			arg.WriteRune(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("expected a closing quote")
	}
	if begun {
		args = append(args, arg.String())
	}
	return args, nil
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	around := func(lines []string) string { return strings.Join(lines[max(i-3, 0):min(i+6, len(lines))], "\n") }
	return fmt.Sprintf("first difference in line %d\n--- got\n%s\n--- want\n%s", i+1, around(g), around(w))
}
