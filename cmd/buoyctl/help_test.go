package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns all commands, parents first.
func commands(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		list = append(list, commands(c)...)
	}
	return list
}

func newTree() *cobra.Command {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	return a.command(func(string) string { return "" })
}

// Every command can be called, and says what it is for.
func TestHelp(t *testing.T) {
	for _, cmd := range commands(newTree()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			words := strings.Fields(cmd.CommandPath())[1:]
			if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
				t.Errorf("Short: got %q, want a phrase without a full stop", cmd.Short)
			}
			if !cmd.Runnable() {
				t.Error("got a command that does nothing, want at least a refusal")
			}
			cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" {
					t.Errorf("--%s: got no usage, want one", f.Name)
				}
			})
			if !cmd.HasSubCommands() && cmd.HasParent() && !strings.HasPrefix(cmd.Name(), "help") {
				if line := cmd.Example; line != "" && !strings.HasPrefix(line, "  buoyctl "+strings.Join(words, " ")) {
					t.Errorf("Example: got %q, want one of this command", line)
				}
			}
			got := buoyctl(t.Context(), "", append(words, "--help")...)
			if got.status != exitOK || !strings.Contains(got.stdout, "Usage:") || got.stderr != "" {
				t.Errorf("--help: got %+v, want a usage on stdout", got)
			}
		})
	}
}

// The examples of the help texts are accepted, up to what the server says.
func TestExamples(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("net.yaml", []byte("kind: Network\nname: vn-public\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range commands(newTree()) {
		for line := range strings.Lines(cmd.Example) {
			t.Run(strings.TrimSpace(line), func(t *testing.T) {
				args := strings.Fields(line)
				if len(args) == 0 || args[0] != "buoyctl" {
					t.Fatalf("got %q, want a line that begins with buoyctl", line)
				}
				got := buoyctl(t.Context(), "unix:///nonexistent", args[1:]...)
				if got.status != exitUnreachable {
					t.Errorf("got %+v, want status %d: the line makes sense", got, exitUnreachable)
				}
			})
		}
	}
}

// Each flag of create and set is a field of the API, so that none is ignored.
func TestSettableFlags(t *testing.T) {
	fields := map[string]map[string]string{
		"network": networkFields, "pool": poolFields, "computenode": computeNodeFields, "neighbor": neighborFields,
		"floatingip": floatingIPFields, "global": globalFields,
	}
	for _, cmd := range commands(newTree()) {
		words := strings.Fields(cmd.CommandPath())
		if len(words) != 3 || words[1] != "set" {
			continue
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "output" || f.Name == "help" || f.Name == "validate-only" || f.Name == "dry-run" || f.Name == "request-id" || f.Name == "etag" {
				return
			}
			if _, ok := fields[words[2]][f.Name]; !ok {
				t.Errorf("%s --%s: got no field of the API, want one", cmd.CommandPath(), f.Name)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	words := []string{"get", "set", "show", "network", "networks", "neighbor", "floatingip"}
	for _, tt := range []struct{ word, want string }{
		{"netwrok", "network"},
		{"netwokrs", "networks"},
		{"NETWORK", "network"},
		{"network", "network"},
		{"nieghbour", "neighbor"},
		{"flotingpi", "floatingip"},
		{"gte", "get"},
		{"ge", "get"},
		{"shwo", "show"},
		{"x", ""},
		{"", ""},
		{"frob", ""},
		{"net", "get"},
		{strings.Repeat("network", 10000), ""},
		{"–\xff", ""},
	} {
		if got := nearest(tt.word, words); got != tt.want {
			t.Errorf("nearest to %.20q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

// The nouns of each verb, as they are promised.
func TestNouns(t *testing.T) {
	want := map[string][]string{
		"create":       {"computenode", "neighbor", "network", "pool"},
		"set":          {"computenode", "floatingip", "global", "neighbor", "network", "pool"},
		"get":          {"computenodes", "floatingips", "global", "neighbors", "networks", "poolbindings", "pools", "routes"},
		"describe":     {"computenode", "floatingip", "global", "neighbor", "network", "pool", "poolbinding"},
		"delete":       {"computenode", "floatingip", "neighbor", "network", "pool", "poolbinding"},
		"bind":         {"pool"},
		"unbind":       {"pool"},
		"allocate":     {"floatingip"},
		"associate":    {"floatingip"},
		"move":         {"floatingip"},
		"disassociate": {"floatingip"},
		"release":      {"floatingip"},
		"drain":        {"computenode"},
		"undrain":      {"computenode"},
		"show":         {"bgp", "route"},
	}
	for _, verb := range newTree().Commands() {
		if _, promised := want[verb.Name()]; !promised {
			continue
		}
		var got []string
		for _, noun := range verb.Commands() {
			got = append(got, noun.Name())
		}
		slices.Sort(got)
		for _, noun := range want[verb.Name()] {
			if !slices.Contains(got, noun) {
				t.Errorf("%s: got %q, want %s among them", verb.Name(), got, noun)
			}
		}
		delete(want, verb.Name())
	}
	for verb := range want {
		t.Errorf("verb %s: got none, want one", verb)
	}
}
