package metrics

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

var tables = regexp.MustCompile(`(?s)(<!-- metrics -->\n).*(<!-- end -->)`)

// TestDocumented compares the table of the documentation with the code.
func TestDocumented(t *testing.T) {
	const file = "../../docs/metrics.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| name | type | labels | what |\n|---|---|---|---|\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "), m.help)
	}
	want := tables.ReplaceAllString(string(text), "${1}"+b.String()+"${2}")
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s is not what the code says: go test ./internal/metrics -run Documented -update", file)
	}
	if !tables.Match(text) {
		t.Errorf("%s has no table", file)
	}
}

// TestNames: the names follow Prometheus's rules.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.name] || !strings.HasPrefix(m.name, "buoy_") || m.help == "" {
			t.Errorf("%+v", m)
		}
		seen[m.name] = true
		if total := strings.HasSuffix(m.name, "_total"); total != (m.kind == counter) {
			t.Errorf("%s is a %s", m.name, m.kind)
		}
	}
}
