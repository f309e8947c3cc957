package gatewayconfig

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestVRFNames(t *testing.T) {
	var networks []Network
	for i, name := range []string{"vn-public", "vn.public", "default", "42", "a-rather-long-name", "vn-public-2", "...", "a-rather-long-nameb", "vpn"} {
		networks = append(networks, Network{Name: "projects/p/networks/" + name, ID: uint16(i + 1)})
	}
	slices.Reverse(networks) // the order does not matter
	want := map[uint16]string{1: "vn-public", 2: "vn-public-2", 3: "default-3", 4: "vrf-4", 5: "a-rather-long-5", 6: "vn-public-2-6",
		7: "vrf-7", 8: "a-rather-long-8", 9: "vpn-9"}
	if got := vrfNames(networks, 15, false); !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	// An older network keeps its name.
	if got := vrfNames(networks[8:], 15, true); got[1] != "vn_public" {
		t.Errorf("got %v, want vn_public", got)
	}
}

// A network keeps its name when another one is not written.
func TestLeft(t *testing.T) {
	in := plain(t)
	in.Networks = append(in.Networks, in.Networks[0])
	in.Networks[0].Left, in.Networks[1].ID = true, 11
	text, _, err := Render("gobgp", in)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, `name = "red-11"`) || strings.Contains(text, `name = "red"`) {
		t.Errorf("got\n%s\nwant red-11 alone", text)
	}
}

// What others call their things adds no line to a configuration, and changes
// none.
func FuzzNames(f *testing.F) {
	f.Add("vn-public", "cmp1", "mx1", "file /etc/buoy/key")
	f.Add("a\nrouter bgp 1", "b\r\nhostname x", "c\u2028d", "e\x00f")
	f.Add("a; } system { root-authentication", "*/ x /*", `"; password "x`, "{{.Us}}")
	f.Add("!", "#", "\\", "`$(reboot)`")
	f.Add(strings.Repeat("x", 5000), strings.Repeat("y ", 5000), strings.Repeat("z\n", 99), strings.Repeat("/", 5000))
	f.Fuzz(func(t *testing.T, network, node, neighbor, key string) {
		for _, vendor := range Vendors() {
			got, called := essence(t, vendor, network, node, neighbor, key)
			want, mark := essence(t, vendor, "zzvrfzz", "cmp1", "mx1", "file")
			want = strings.ReplaceAll(want, mark, called)
			if got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", vendor, got, want)
			}
		}
	})
}

// essence returns the lines that are no comments, and what the VRF is called.
func essence(t *testing.T, name, network, node, neighbor, key string) (lines, called string) {
	in := plain(t)
	in.Networks[0].Name, in.Nodes[0].Name, in.Gateway.Name, in.Gateway.Key = network, node, neighbor, "in "+key
	text, _, err := Render(name, in)
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, name, text)
	v := vendors[slices.Index(Vendors(), name)]
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, v.mark) {
			lines += line
		}
	}
	return lines, vrfNames(in.Networks, v.maxName, v.underscore)[in.Networks[0].ID]
}
