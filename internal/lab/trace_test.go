package lab

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

// What bird logs and gobgp monitor writes. The first line is before the book.
const (
	birdBook = `2026-11-23 13:19:45.900 <TRACE> buoy.vpn4-mpls > added [best] 10.0.0.11:1 203.0.113.9/32 0L 3G unicast
2026-11-23 13:19:45.974 <TRACE> buoy.vpn4-mpls > added [best] 10.0.0.11:1 203.0.113.5/32 0L 3G unicast
2026-11-23 13:19:45.985 <TRACE> buoy.vpn6-mpls > added [best] 10.0.0.11:1 2001:db8:f::5/128 0L 3G unicast
2026-11-23 13:19:46.000 <TRACE> buoy.vpn4-mpls > ignored 10.0.0.11:1 203.0.113.6/32 0L 3G unicast
2026-11-23 13:19:46.011 <TRACE> buoy.vpn4-mpls > removed [sole] 10.0.0.11:1 203.0.113.7/32 0L 3G unicast
`
	gobgpBook = `2026-11-23T13:17:22Z [ROUTE] 10.0.0.11:1:203.0.113.9/32 via 10.0.0.11 aspath [] attrs [{Origin: ?}]
2026-11-23T13:17:23Z [ROUTE] 64512:64512:10003 via 0.0.0.0 aspath [] attrs [{Origin: i}]
2026-11-23T13:17:28Z [ROUTE] 10.0.0.11:1:203.0.113.5/32 via 10.0.0.11 aspath [] attrs [{Origin: ?}]
2026-11-23T13:17:29Z [DELROUTE] 10.0.0.11:1:203.0.113.7/32 via 10.0.0.11 aspath [] attrs [{Origin: ?}]
`
)

func TestBook(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		entry      *regexp.Regexp
	}{{"bird", birdBook, birdTraced}, {"gobgp", gobgpBook, gobgpTraced}} {
		file := filepath.Join(t.TempDir(), "log")
		first := slices.Index([]byte(tt.text), '\n') + 1
		if err := os.WriteFile(file, []byte(tt.text[:first]), 0o600); err != nil {
			t.Fatal(err)
		}
		var b book
		if err := b.open(file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := map[vrf.Key]bool{}
		for _, prefix := range []string{"203.0.113.5/32", "203.0.113.7/32"} {
			r, _ := birdRouteOf("10.0.0.11:1", prefix, nil)
			want[vrf.Key{RD: r.RD, Prefix: netip.MustParsePrefix(prefix)}] = true
		}
		if got, err := b.read(tt.entry); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, want)
		}
	}
}
