package client_test

import (
	"os"
	"strings"
	"testing"
)

// The guide shows the example that is tested here.
func TestGuide(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/integrating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "func Example() {\n")
	body, _, _ = strings.Cut(body, "\t// Output:\n")
	var want strings.Builder
	for line := range strings.Lines(body) {
		want.WriteString(strings.TrimPrefix(line, "\t"))
	}
	_, got, _ := strings.Cut(string(guide), "```go\n")
	got, _, _ = strings.Cut(got, "```\n")
	if got != want.String() {
		t.Errorf("docs/integrating.md: the block of Go is not the body of Example in example_test.go; want\n%s", &want)
	}
}
