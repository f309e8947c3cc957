package api

import (
	"fmt"
	"strconv"
	"strings"
)

// place is where a watch is: its client has seen everything up to there.
type place struct {
	revision uint64 // of the store
	run      string // of the daemon; what follows is of no meaning in another one
	sighting uint64 // of the observer
}

// String returns what place reads.
func (p place) String() string { return fmt.Sprintf("%d-%s-%d", p.revision, p.run, p.sighting) }

func (f *fields) place(field, text string) (p place) {
	parts := strings.Split(text, "-")
	if len(parts) == 3 {
		var err1, err2 error
		p.revision, err1 = strconv.ParseUint(parts[0], 10, 64)
		p.run = parts[1]
		p.sighting, err2 = strconv.ParseUint(parts[2], 10, 64)
		if err1 == nil && err2 == nil && p.run != "" {
			return p
		}
	}
	f.fail(field, fmt.Errorf("expected the resume_token of a bookmark, got %q", text))
	return place{}
}
