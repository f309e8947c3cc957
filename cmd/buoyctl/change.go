package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// changeFlags are what all commands that change something have.
type changeFlags struct {
	dryRun    bool
	requestID string
	etag      string

	told bool // that nothing was changed
}

// changing are the verbs that change something; those that make something new
// have no etag.
var changing, making = []string{"create", "set", "allocate", "bind", "unbind", "associate", "move", "disassociate", "drain", "undrain", "release", "delete"},
	[]string{"create", "allocate"}

// addChangeFlags adds the flags to the commands of all such verbs.
func (a *app) addChangeFlags(verbs map[string]*cobra.Command) {
	for _, verb := range changing {
		for _, cmd := range verbs[verb].Commands() {
			a.changeFlags(cmd)
			if !slices.Contains(making, verb) {
				cmd.Flags().StringVar(&a.change.etag, "etag", "", "change only what still has this etag, as -o json shows it")
			}
		}
	}
}

func (a *app) changeFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.change.dryRun, "dry-run", false, "change nothing, only show what would change")
	cmd.Flags().StringVar(&a.change.requestID, "request-id", "", "a name for this request: with the same one again, it is done only once")
}

// fill writes the flags into a request. One that only reads has no place for them.
func (f *changeFlags) fill(req any) {
	m, ok := req.(proto.Message)
	if !ok {
		return
	}
	for name, value := range map[protoreflect.Name]any{"validate_only": f.dryRun, "request_id": f.requestID, "etag": f.etag} {
		field := m.ProtoReflect().Descriptor().Fields().ByName(name)
		if field != nil && value != false && value != "" {
			m.ProtoReflect().Set(field, protoreflect.ValueOf(value))
		}
	}
}

// tell says of a command that was only tried that it was.
func (a *app) tell() {
	if a.change.dryRun && !a.change.told {
		fmt.Fprintln(a.stderr, "nothing was changed")
	}
}
