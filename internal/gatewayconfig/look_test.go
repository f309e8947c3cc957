package gatewayconfig

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

// The commands of every vendor are as they are in testdata/look.txt.
func TestLookAt(t *testing.T) {
	rd, err := routetarget.ParseDistinguisher("10.0.0.11:1")
	if err != nil {
		t.Fatal(err)
	}
	target, err := routetarget.ParseTarget("target:64512:10003")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, prefix := range []string{"203.0.113.5/32", "2001:db8::5/128"} {
		for _, vendor := range Vendors() {
			list, err := LookAt(vendor, Arrival{Network: "projects/default/networks/vn-public", ID: 1, RD: rd, Prefix: netip.MustParsePrefix(prefix),
				NextHop: netip.MustParseAddr("10.0.0.11"), Label: 100, Targets: []routetarget.Target{target}})
			if err != nil || len(list) < 2 {
				t.Fatalf("%s: got %v, %v", vendor, list, err)
			}
			fmt.Fprintf(&b, "%s %s\n", vendor, prefix)
			for _, l := range list {
				fmt.Fprintf(&b, "  %s: %s\n", l.What, l.Command)
			}
		}
	}
	if strings.ContainsAny(b.String(), "{}") {
		t.Errorf("a word was not replaced:\n%s", &b)
	}
	const file = "testdata/look.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s: got\n%s", file, &b)
	}
	if _, err := LookAt("cisco", Arrival{}); err == nil || !strings.HasPrefix(err.Error(), "vendor: expected one of junos, ") {
		t.Errorf("got %v", err)
	}
}
