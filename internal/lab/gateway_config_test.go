package lab

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

// documented is what the files in configs/gateways say.
var documented = GatewayConfig{
	Addr:     netip.MustParseAddrPort("10.0.0.1:179"),
	AS:       64512,
	RouterID: netip.MustParseAddr("10.0.0.1"),
	Peer:     netip.MustParseAddrPort("10.0.0.2:179"),
	PeerAS:   64512,
	Families: []Family{VPNv4, VPNv6},
}

func documentedVRF(t *testing.T) VRF {
	target, err := routetarget.ParseTarget("target:64512:10003")
	if err != nil {
		t.Fatal(err)
	}
	return VRF{Name: "red", RD: routetarget.IPv4Distinguisher(documented.RouterID, 10), Targets: []routetarget.Target{target}}
}

// sameConfig compares a configuration with a file, except for blank lines and
// comments.
func sameConfig(t *testing.T, file, comment, got string) {
	t.Helper()
	data, err := os.ReadFile("../../configs/gateways/" + file)
	if err != nil {
		t.Fatal(err)
	}
	essence := func(text string) (lines []string) {
		for _, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, comment) {
				lines = append(lines, line)
			}
		}
		return append(lines, "the end")
	}
	want := essence(string(data))
	for i, line := range essence(got) {
		if i >= len(want) || line != want[i] {
			t.Fatalf("%s: the lab says\n%s\nand the file says\n%s", file, line, strings.Join(want[min(i, len(want)):], "\n"))
		}
	}
}

// TestFRRConfigIsTheDocumentedOne: what the tests run is what users are told.
func TestFRRConfigIsTheDocumentedOne(t *testing.T) {
	text, err := frrConfig(documented, true)
	if err != nil {
		t.Fatal(err)
	}
	sameConfig(t, "frr.conf", "!", text+frrVRFConfig(documented, documentedVRF(t)))
}

func TestBirdConfigIsTheDocumentedOne(t *testing.T) {
	text, err := birdConfig(documented, []VRF{documentedVRF(t)}, "gre1")
	if err != nil {
		t.Fatal(err)
	}
	sameConfig(t, "bird.conf", "#", text)
}

// TestNoSuchFamily: neither has route target membership.
func TestNoSuchFamily(t *testing.T) {
	c := documented
	c.Families = []Family{VPNv4, RouteTarget}
	if text, err := frrConfig(c, true); err == nil {
		t.Errorf("frr: got %s", text)
	}
	if text, err := birdConfig(c, nil, "gre1"); err == nil {
		t.Errorf("bird: got %s", text)
	}
}
