package wire

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// signatures counts segments that the kernel dropped for their TCP MD5
// signature. It counts for the whole network namespace: it tells that a key is
// wrong, but not whose.
type signatures struct {
	missing    uint64 // a key is expected here, and the segment was not signed
	unexpected uint64 // it was signed, and no key is expected
	wrong      uint64 // it was signed with another key
	read       bool   // the counters are there
}

// readSignatures reads the kernel's counters. Without them nothing is known,
// which is no error.
func readSignatures() (s signatures) {
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		return s
	}
	return parseSignatures(string(text))
}

// parseSignatures reads pairs of lines: names, then values.
func parseSignatures(text string) (s signatures) {
	s.read = true
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j, name := range names {
			if j >= len(values) {
				break
			}
			n, _ := strconv.ParseUint(values[j], 10, 64)
			switch name {
			case "TCPMD5NotFound":
				s.missing = n
			case "TCPMD5Unexpected":
				s.unexpected = n
			case "TCPMD5Failure":
				s.wrong = n
			}
		}
	}
	return s
}

// since says what arrived after an earlier reading that explains why a
// neighbor with or without a key does not come up.
func (s signatures) since(earlier signatures, keyed bool) string {
	var seen []string
	note := func(relevant bool, now, before uint64, text string) {
		// Less than before means that the counters could not be read.
		if relevant && now > before && earlier.read {
			seen = append(seen, fmt.Sprintf("%d segments %s arrived", now-before, text))
		}
	}
	note(keyed, s.wrong, earlier.wrong, "with a wrong MD5 signature")
	note(keyed, s.missing, earlier.missing, "without an MD5 signature")
	note(!keyed, s.unexpected, earlier.unexpected, "with an MD5 signature, but no key configured,")
	return strings.Join(seen, " and ")
}
