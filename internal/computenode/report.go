package computenode

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/buoynet/buoy/internal/inventory"
)

// The limits of what a stream may say.
const (
	maxInterfaces = 4096 // of a compute node
	maxText       = 200  // bytes
)

// checkReports checks what does not depend on what was said before.
func checkReports(list []inventory.InterfaceReport) error {
	for i, r := range list {
		if err := checkReport(r); err != nil {
			return inventory.Inside(fmt.Sprintf("interfaces[%d]", i), err)
		}
	}
	return nil
}

func checkReport(r inventory.InterfaceReport) error {
	if err := inventory.CheckInterface("name", r.Name); err != nil {
		return err
	}
	if r.State > inventory.InterfaceUnhealthy {
		return invalid("state", "the enumeration has no value %d", r.State)
	}
	if r.Preference > inventory.Backup {
		return invalid("preference", "the enumeration has no value %d", r.Preference)
	}
	return checkText("reason", r.Reason)
}

// checkText checks a text that operators will read.
func checkText(field, text string) error {
	if len(text) > maxText {
		return invalid(field, "expected at most %d bytes, got %d", maxText, len(text))
	}
	if !utf8.ValidString(text) {
		return invalid(field, "expected UTF-8, got %q", text)
	}
	for _, r := range text {
		if !printable(r) {
			return invalid(field, "expected no control characters, got %q", text)
		}
	}
	return nil
}

// printable reports whether a character does nothing to a terminal.
func printable(r rune) bool { return !unicode.IsControl(r) }

// checkRoom checks that a compute node does not report too many interfaces. It is
// cheap as long as that is far off.
func (c *core) checkRoom(n *node, list []inventory.InterfaceReport) error {
	if n.mentioned+len(list) <= maxInterfaces {
		return nil
	}
	more := map[string]bool{}
	for _, r := range list {
		old, ok := c.interfaces.Get(key(n.name, r.Name))
		if !ok || old.stream != n.stream {
			more[r.Name] = true
		}
	}
	if got := n.mentioned + len(more); got > maxInterfaces {
		return invalid("interfaces", "expected at most %d interfaces of a compute node, got %d; report those that are gone without a state: they are forgotten", maxInterfaces, got)
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return &inventory.Error{Code: inventory.InvalidArgument, Reason: inventory.ReasonInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
