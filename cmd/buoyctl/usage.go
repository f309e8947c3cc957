package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that makes no sense. Its text says what was
// expected.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// misused says of a command what was expected instead.
func misused(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{path(cmd) + fmt.Sprintf(format, args...)}
}

// path is how a text begins that is about a command.
func path(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}

// takes checks the number of arguments; Use names them.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		_, want, _ := strings.Cut(cmd.Use, " ")
		if len(args) < least || len(args) > most {
			return misused(cmd, "expected %s, got %s", cmp.Or(want, "no argument"), quote(args))
		}
		if slices.Contains(args, "") {
			return misused(cmd, "expected %s, got an empty one: %s", want, quote(args))
		}
		return nil
	}
}

func quote(args []string) string {
	if len(args) == 0 {
		return "nothing"
	}
	var quoted []string
	for _, a := range args {
		quoted = append(quoted, fmt.Sprintf("%q", a))
	}
	return strings.Join(quoted, " ")
}

// require marks flags that a command cannot do without.
func require(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := cmd.MarkFlagRequired(f); err != nil { // for the completion
			panic(err) // the flag is not defined
		}
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var missing []string
		for _, f := range flags {
			if !cmd.Flags().Changed(f) {
				missing = append(missing, "--"+f)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		return misused(cmd, "missing %s, for example\n%s", strings.Join(missing, ", "), cmd.Example)
	}
}

// unknownCommand says what a command that only has subcommands applies to.
func unknownCommand(cmd *cobra.Command, args []string) error {
	var known, names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
			names = append(append(names, c.Name()), c.Aliases...)
		}
	}
	want := strings.Join(known, ", ")
	if len(known) > 1 {
		want = "one of " + want
	}
	if len(args) == 0 {
		return misused(cmd, "expected %s", want)
	}
	text := fmt.Sprintf("expected %s; got %q", want, args[0])
	if near := nearest(args[0], names); near != "" {
		text += ", did you mean " + near + "?"
	} else if verbs := verbsFor(cmd.Root(), args[0]); len(verbs) > 0 {
		text += ", which goes after " + strings.Join(verbs, ", ")
	}
	return misused(cmd, "%s", text)
}

// verbsFor lists the verbs that apply to a resource.
func verbsFor(root *cobra.Command, resource string) (verbs []string) {
	for _, verb := range root.Commands() {
		for _, c := range verb.Commands() {
			if c.Name() == resource || c.HasAlias(resource) {
				verbs = append(verbs, verb.Name())
			}
		}
	}
	return verbs
}

// kinds says what a flag of a type takes.
var kinds = map[string]string{
	"uint32":      "a number 0..4294967295",
	"duration":    "a duration like 30s or 5m",
	"seconds":     "a number of seconds, or a duration like 90s or 5m",
	"bool":        "true or false",
	"stringSlice": "values separated by commas",
}

// wrongFlag says what is wrong with a flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return misused(cmd, "--%s: expected a value, got nothing", missing.GetFlag().Name)
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := invalid.GetFlag()
		return misused(cmd, "--%s: expected %s, got %q", f.Name, cmp.Or(kinds[f.Value.Type()], f.Value.Type()), invalid.GetValue())
	}
	return misused(cmd, "%v", err)
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
		return unknownCommand(cmd, args) // which is why its flags are not known
	}
	flag := "--" + err.GetSpecifiedName()
	if err.GetSpecifiedShortnames() != "" {
		flag = "-" + err.GetSpecifiedName()
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	switch near := nearest(flag, known); {
	case near != "":
		return misused(cmd, "unknown flag %s, did you mean %s?", flag, near)
	case cmd.HasSubCommands():
		return misused(cmd, "unknown flag %s; the flags of a command come after all its words", flag)
	default:
		slices.Sort(known)
		return misused(cmd, "unknown flag %s; expected one of %s", flag, strings.Join(known, ", "))
	}
}

// nearest returns the candidate that is at most two typing errors away, or "".
func nearest(word string, candidates []string) string {
	best, limit := "", min(2, len(strings.Trim(word, "-"))/2)
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), c); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// distance counts the letters to add, drop, replace or swap with their
// neighbor between a and b.
func distance(a, b string) int {
	if len(a) > 2*len(b)+2 {
		return len(a) // spares the work on an absurdly long word
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
		for j := 1; j <= len(b); j++ {
			if i == 0 {
				d[i][j] = j
				continue
			}
			replaced := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d[i][j] = min(replaced, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
