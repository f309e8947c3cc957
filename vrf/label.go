package vrf

import "fmt"

// Label is an MPLS label that a compute node may expect: 16..1048575. The
// values below are reserved (RFC 3032 §2.1).
type Label uint32

// The range of labels that may be given to an interface.
const (
	MinLabel Label = 16
	MaxLabel Label = 1<<20 - 1
)

// NewLabel checks the range.
func NewLabel(n uint32) (Label, error) {
	if l := Label(n); l >= MinLabel && l <= MaxLabel {
		return l, nil
	}
	return 0, fmt.Errorf("expected a label %d..%d, got %d", MinLabel, MaxLabel, n)
}
