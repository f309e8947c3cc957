package dataplane

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

const someText = `{"floating_ips": [{"name": "projects/p/floatingIps/web", "network": "projects/p/networks/n", "address": "203.0.113.5",
"fixed_ip": "10.47.0.5", "interface": "tap0", "label": 100, "direction": "both", "port_mappings": [{"protocol": "tcp", "port": 80, "fixed_port": 8080}]}],
"routes": [{"network": "projects/p/networks/n", "prefix": "0.0.0.0/0", "next_hops": [{"address": "10.0.0.1", "label": 16, "encapsulations": ["gre"]}]}]}`

func TestParseProgramme(t *testing.T) {
	if _, err := ParseProgramme([]byte(someText)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"label": 100`, `"label": 15`, "floating_ips[0]: projects/p/floatingIps/web: label: expected 16..1048574, got 15"},
		{`"label": 100`, `"label": 1048575`, "label: expected 16..1048574"},
		{`"label": 100`, `"lable": 100`, `unknown field "lable"`},
		{`"203.0.113.5"`, `"203.0.113.500"`, "programme: ParseAddr"},
		{`"203.0.113.5"`, `"::ffff:203.0.113.5"`, "address: expected a unicast address"},
		{`"203.0.113.5"`, `"2001:db8::5"`, "fixed_ip: expected a unicast address of the family of 2001:db8::5"},
		{`"203.0.113.5"`, `"127.0.0.1"`, "address: expected a unicast address"},
		{`"tap0"`, `"a-name-that-is-too-long"`, "interface: expected a name of 1..15 characters"},
		{`"tap0"`, `"../tap"`, "interface: expected a name"},
		{`"tap0"`, `"buoy-in"`, "interface: buoy-in is the agent's own"},
		{`"both"`, `"sideways"`, `direction: expected both, ingress or egress, got "sideways"`},
		{`"port": 80`, `"port": 0`, "port_mappings: expected tcp, udp or sctp and two ports"},
		{`"tcp"`, `"icmp"`, "port_mappings: expected tcp, udp or sctp"},
		{`"0.0.0.0/0"`, `"10.0.0.1/8"`, "routes[0]: prefix: expected a network address"},
		{`"label": 16`, `"label": 3`, "next_hops: 10.0.0.1: label: expected 16..1048575, got 3"},
		{`"10.0.0.1"`, `"0.0.0.0"`, "next_hops: address: expected a unicast address"},
		{`"routes": [`, `"routes": [{"network": "projects/p/networks/n", "prefix": "0.0.0.0/0", "next_hops": [{"address": "10.0.0.2", "label": 17}]}, `, "routes[1]: 0.0.0.0/0 of projects/p/networks/n is there twice"},
		{`"gre"]}]}]}`, `"gre"]}]}]} {}`, "expected one object and nothing behind it"},
	} {
		text := strings.Replace(someText, c.old, c.new, 1)
		if _, err := ParseProgramme([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.new, err, c.want)
		}
	}
}

// FuzzParseProgramme: what is taken prints as what is read back the same, and can be planned.
func FuzzParseProgramme(f *testing.F) {
	f.Add([]byte(someText))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"floating_ips": [{}], "routes": [{}]}`))
	settings := Settings{Address: netip.MustParseAddr("10.0.0.11"), MTU: 1500, UDPPort: 6635, Encapsulations: []Encapsulation{GRE, UDP}}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProgramme(text)
		if err != nil {
			return
		}
		again, err := ParseProgramme(p.JSON())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.JSON())
		}
		if !bytes.Equal(again.JSON(), p.JSON()) {
			t.Fatalf("printed\n%s\nread back\n%s", p.JSON(), again.JSON())
		}
		links := map[string]bool{}
		for _, f := range p.FloatingIPs {
			links[f.Interface] = true
		}
		first, _ := Build(p, settings, links, nil)
		second, _ := Build(again, settings, links, first.Zones())
		if steps := Diff(first, second); len(steps) > 0 {
			t.Fatalf("planned again there is something to do: %v\n%s", steps, text)
		}
	})
}
