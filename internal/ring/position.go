package ring

import (
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in a ring that does not outlive the process: the number of the
// next value to read. It is comparable.
type Position struct {
	Run  string // tells the positions of different processes apart
	Next uint64
}

// String returns what ParsePosition reads.
func (p Position) String() string { return p.Run + "-" + strconv.FormatUint(p.Next, 10) }

// ParsePosition reads what String returns.
func ParsePosition(s string) (Position, error) {
	run, number, ok := strings.Cut(s, "-")
	next, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || run == "" {
		return Position{}, fmt.Errorf("expected what a bookmark said, got %q", s)
	}
	return Position{run, next}, nil
}
