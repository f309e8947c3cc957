package programme

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/internal/ring"
)

// place is where a follower is: its node has been told everything up to there.
type place struct {
	revision uint64        // of the store
	at       ring.Position // in the log of imports
}

// String returns what parsePlace reads: a resume token.
func (p place) String() string { return strconv.FormatUint(p.revision, 10) + "-" + p.at.String() }

func parsePlace(token string) (p place, err error) {
	revision, at, _ := strings.Cut(token, "-")
	if p.revision, err = strconv.ParseUint(revision, 10, 64); err == nil {
		p.at, err = ring.ParsePosition(at)
	}
	if err != nil {
		return place{}, fmt.Errorf("expected the last resume_token of an earlier stream, or none, got %q", token)
	}
	return p, nil
}

// far reports whether a place is so far behind another one that a node should not be
// left with its token: it would soon be of no use.
func (p place) far(behind place) bool {
	return p.at.Next-behind.at.Next >= farBehind || p.revision-behind.revision >= farBehind
}

// farBehind is a small part of what the logs keep.
const farBehind = 1 << 13
