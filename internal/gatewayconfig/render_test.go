package gatewayconfig

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

var update = flag.Bool("update", false, "write the texts into testdata")

func targets(t testing.TB, texts ...string) (list []routetarget.Target) {
	t.Helper()
	for _, text := range texts {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, target)
	}
	return list
}

// plain is what the files of configs/gateways are for.
func plain(t testing.TB) Input {
	gre, both := vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP)
	red := targets(t, "target:64512:10003")
	return Input{
		Buoy: Buoy{AS: 64512, Address: netip.MustParseAddr("10.0.0.2")},
		Gateway: Gateway{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), AS: 64512,
			InetVPN: true, Inet6VPN: true, RouteTarget: true},
		Networks: []Network{{Name: "projects/default/networks/red", ID: 10, Import: red, Export: red}},
		Nodes: []Node{
			{Name: "cmp2", Address: netip.MustParseAddr("10.0.0.12"), Encapsulations: gre},
			{Name: "cmp1", Address: netip.MustParseAddr("10.0.0.11"), Encapsulations: both},
		},
	}
}

// odd has all that is not plain.
func odd(t testing.TB) Input {
	udp := vrf.NewEncapsulations(vrf.MPLSInUDP)
	return Input{
		Buoy: Buoy{AS: 4200000000, Port: 1790},
		Gateway: Gateway{Name: "mx.2", Address: netip.MustParseAddr("2001:db8::1"), Port: 1179, AS: 64512,
			RouterID: netip.MustParseAddr("10.255.0.1"), InetVPN: true, Inet6VPN: true, RouteTarget: true,
			Key: "file /etc/buoy/mx2.key", TTLSecurity: 2},
		Networks: []Network{
			{Name: "projects/shop/networks/default", ID: 3,
				Import: targets(t, "target:4200000000:8003", "target:10.0.0.9:7"), Export: targets(t, "target:4200000000:8003", "target:64512L:5")},
			{Name: "projects/default/networks/vn.public_of-customer.a", ID: 1,
				Import: targets(t, "target:64512:20000"), Export: targets(t, "target:64512:10003", "target:64512:10004")},
			{Name: "projects/dev/networks/vn.public_of-customer.a", ID: 2,
				Import: targets(t, "target:64512:3"), Export: targets(t, "target:64512L:6")},
		},
		Nodes: []Node{
			{Name: "cmp6", Address: netip.MustParseAddr("2001:db8:1::11")},
			{Name: "cmp3", Address: netip.MustParseAddr("10.0.0.13"), Encapsulations: udp},
			{Name: "cmp1", Address: netip.MustParseAddr("10.0.1.11")},
		},
		Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")},
	}
}

// external is eBGP over several hops, to a gateway with one family and without
// networks and compute nodes.
func external() Input {
	return Input{
		Buoy: Buoy{AS: 64512, Address: netip.MustParseAddr("10.0.0.2"), Port: 179},
		Gateway: Gateway{Name: "mx1", Address: netip.MustParseAddr("10.9.0.1"), Port: 179, AS: 64999, Multihop: 5,
			InetVPN: true},
	}
}

func TestRender(t *testing.T) {
	for name, in := range map[string]Input{"plain": plain(t), "odd": odd(t), "external": external()} {
		for _, vendor := range Vendors() {
			t.Run(name+" "+vendor, func(t *testing.T) {
				got, _, err := Render(vendor, in)
				if err != nil {
					t.Fatal(err)
				}
				checkText(t, vendor, got)
				file := filepath.Join("testdata", name, vendor+".txt")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s (go test -update writes it): got\n%s", file, got)
				}
			})
		}
	}
}

// checkText checks what is true of every text.
func checkText(t testing.TB, vendor, text string) {
	t.Helper()
	if !strings.HasSuffix(text, "\n") || strings.Contains(text, "\n\n\n") {
		t.Error("got a text with gaps, or without an end of its last line")
	}
	for line := range strings.Lines(text) {
		if strings.HasSuffix(line, " \n") || strings.ContainsFunc(line[:len(line)-1], func(r rune) bool { return r < ' ' || r == '\x7f' }) {
			t.Errorf("got the line %q, want one without blanks at the end and control characters", line)
		}
	}
	if tested := slices.Contains([]string{"frr", "bird", "gobgp"}, vendor); tested == strings.Contains(text, "NOT TESTED") {
		t.Errorf("%s is tested with a real router: %v; the text says otherwise", vendor, tested)
	}
	if vendor == "junos" || vendor == "sros" || vendor == "bird" {
		checkBraces(t, vendor, text)
	}
}

// checkBraces checks that blocks are closed where they begin: in Junos and SR OS
// at the same depth as they are indented, and that Junos ends its statements.
func checkBraces(t testing.TB, vendor, text string) {
	t.Helper()
	depth := 0
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		if strings.HasPrefix(word, "#") || word == "" {
			continue
		}
		indent := (len(line) - len(strings.TrimLeft(line, " "))) / 4
		if word == "}" {
			depth--
		}
		if vendor != "bird" && indent != depth {
			t.Errorf("got %q at depth %d", line, depth)
		}
		if vendor == "junos" && !strings.HasSuffix(word, "{") && !strings.HasSuffix(word, ";") && word != "}" {
			t.Errorf("got %q, want a statement with an end", line)
		}
		if word != "}" {
			depth += strings.Count(word, "{") - strings.Count(word, "}")
		}
	}
	if depth != 0 {
		t.Errorf("got %d blocks that are not closed", depth)
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, vendor string
		change       func(in *Input)
		want         string
	}{
		{"vendor", "cisco", func(*Input) {}, "vendor: expected one of junos, iosxr, iosxe, sros, eos, frr, bird, gobgp"},
		{"no AS", "frr", func(in *Input) { in.Buoy.AS = 0 }, "AS: expected that of Buoy and of the gateway"},
		{"no address", "frr", func(in *Input) { in.Gateway.Address = netip.Addr{} }, "address of the gateway: expected"},
		{"a zone", "frr", func(in *Input) { in.Gateway.Address = netip.MustParseAddr("fe80::1%a\nb") }, "without a zone"},
		{"another family", "frr", func(in *Input) { in.Buoy.Address = netip.MustParseAddr("::1") }, "address of Buoy: expected one of the family of 10.0.0.1"},
		{"no family", "frr", func(in *Input) { in.Gateway.InetVPN, in.Gateway.Inet6VPN = false, false }, "families of the gateway: expected"},
		{"a node with a zone", "frr", func(in *Input) { in.Nodes[0].Address = netip.MustParseAddr("fe80::1%x") }, "compute node cmp2: expected"},
		{"host bits", "junos", func(in *Input) { in.Prefixes = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")} }, "without host bits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := plain(t)
			tt.change(&in)
			if text, _, err := Render(tt.vendor, in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}
