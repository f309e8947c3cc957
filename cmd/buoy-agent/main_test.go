package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func call(t *testing.T, args ...string) (status int, out, errors string) {
	t.Helper()
	var stdout, stderr strings.Builder
	status = run(context.Background(), args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("address: 10.0.0.11\ncolour: blue\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want string
	}{
		{"--address here", `address: expected an IPv4 address, got "here"`},
		{"--address 2001:db8::1", "tunnels over IPv6 are not supported"},
		{"--encapsulation vxlan", "encapsulation: expected gre and udp"},
		{"--encapsulation gre,gre", "encapsulation: expected gre and udp"},
		{"--mtu 1300", "mtu: expected 0, or 1312..65535, got 1300"},
		{"--udp-port 0", "udp-port: expected 1..65535"},
		{"--interface [", "interface: expected patterns"},
		{"--key x.pem", "certificate, key, ca: expected all of them, or none"},
		{"--config " + file, "there is no setting colour"},
		{"--config /nowhere.yaml", "/nowhere.yaml: open"},
		{"clean", `unknown command "clean"`},
	} {
		if status, _, text := call(t, strings.Fields(c.args)...); status != 2 || !strings.Contains(text, c.want) {
			t.Errorf("%s: status %d, %s; want %s", c.args, status, text, c.want)
		}
	}
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("server: [a:1, b:2]\nnode: cmp1\naddress: 10.0.0.11\nmtu: 9000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BUOY_AGENT_UDP_PORT", "6636")
	t.Setenv("BUOY_AGENT_NODE", "cmp2")
	cmd := (&app{}).command()
	if err := cmd.ParseFlags([]string{"--config", file, "--mtu", "1400", "--encapsulation", "udp"}); err != nil {
		t.Fatal(err)
	}
	c, err := load(cmd.Flags())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(c.Servers, " ") != "a:1 b:2" || c.Node != "cmp2" || c.MTU != 1400 || c.UDPPort != 6636 || c.inner() != 1368 {
		t.Errorf("got %+v", c)
	}
	if err := c.complete(true); err != nil {
		t.Error(err)
	}
}

// A dry run prints the whole plan, on any kernel that has nftables.
func TestDryRun(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to look at nftables")
	}
	file := filepath.Join(t.TempDir(), "programme.json")
	const text = `{"floating_ips": [{"name": "web", "network": "n", "address": "203.0.113.5", "fixed_ip": "10.47.0.5", "interface": "tap0", "label": 100}],
		"routes": [{"network": "n", "prefix": "0.0.0.0/0", "next_hops": [{"address": "10.0.0.1", "label": 16, "encapsulations": ["gre"]}]}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errors := call(t, "--address", "10.0.0.11", "--mtu", "1500", "--programme", file, "--dry-run")
	if status != 0 {
		t.Fatal(errors)
	}
	for _, line := range []string{"+ label 100 pop", "+ map in4 0x645eb . 203.0.113.5 : 10.47.0.5", "+ tunnel buoy-gdebebe8d gre local 10.0.0.11 remote 10.0.0.1 mtu 1476"} {
		if !strings.Contains(out, line+"\n") {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
	if _, again, _ := call(t, "--address", "10.0.0.11", "--mtu", "1500", "--programme", file, "--dry-run"); again != out {
		t.Errorf("the second dry run prints\n%s", again)
	}
}
