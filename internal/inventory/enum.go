package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// names are the texts of an enumeration, from its zero value on.
type names[T ~uint8] []string

func (n names[T]) text(v T) string {
	if int(v) < len(n) {
		return n[v]
	}
	return fmt.Sprintf("%d", uint8(v))
}

func (n names[T]) parse(text string) (T, error) {
	if i := slices.Index(n, text); i >= 0 {
		return T(i), nil
	}
	return 0, fmt.Errorf("expected %s, got %q", strings.Join(n, ", "), text)
}
