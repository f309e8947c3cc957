package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
)

func TestNeighborSession(t *testing.T) {
	for name, want := range map[string]string{
		"hold_time: 2":                                  "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"2\"",
		"hold_time: 65536":                              "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"65536\"",
		"multihop: 256":                                 "f.yaml:3: neighbors[0].multihop (mx1): expected 1..255 hops, got \"256\"",
		"hold_time: soon":                               "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"soon\"",
		"hold_time: 30, keepalive_time: 11":             "f.yaml:3: neighbors[0].keepalive_time (mx1): expected at most a third of the hold time, 10 seconds, got 11",
		"ttl_security: 255":                             "f.yaml:3: neighbors[0].ttl_security (mx1): expected 1..254 hops, got \"255\"",
		"ttl_security: 1, multihop: 2":                  "f.yaml:3: neighbors[0].multihop (mx1): expected not to go with ttl_security, which always sends with a TTL of 255",
		"local_address: \"2001:db8::1\"":                "f.yaml:3: neighbors[0].local_address (mx1): 2001:db8::1 and the neighbor's address 10.0.0.1 are of different families",
		"local_address: mx1":                            "f.yaml:3: neighbors[0].local_address (mx1): expected an IPv4 or IPv6 address, for example 10.0.0.1, got \"mx1\"",
		"md5_key_file: /k, md5_key_env: K":              "f.yaml:3: neighbors[0].md5_key_env (mx1): expected a file or an environment variable, not both",
		"md5_key_env: \"A=B\"":                          "f.yaml:3: neighbors[0].md5_key_env (mx1): expected the name of an environment variable, got \"A=B\"",
		"long_lived: [inet-vpn]":                        "f.yaml:3: neighbors[0].long_lived_time (mx1): expected 1..16777215 seconds for the families of long_lived, inet-vpn; got 0",
		"graceful_restart: [none], long_lived_time: 60": "f.yaml:3: neighbors[0].long_lived_time (mx1): expected 0 while graceful_restart is none (RFC 9494 §4.1), got 60",
		"graceful_restart: [inet-vpn], long_lived_time: 60, long_lived: [inet-vpn, inet6-vpn]": "f.yaml:3: neighbors[0].long_lived (mx1): expected families with graceful restart, inet-vpn; leave inet6-vpn out, or add it to graceful_restart",
		"families: [inet-vpn], graceful_restart: [route-target]":                               "f.yaml:3: neighbors[0].graceful_restart (mx1): expected some of the session's families, inet-vpn, or none; got route-target",
		"families: [inet-vpn], long_lived_time: 60, long_lived: [inet6-vpn]":                   "f.yaml:3: neighbors[0].long_lived (mx1): expected families with graceful restart, inet-vpn; leave inet6-vpn out, or add it to families",
		"graceful_restart: [none], restart_time: 4095, long_lived_time: 0":                     "",
		"hold_time: 9, keepalive_time: 3":                                                      "",
		"multihop: 255, md5_key_env: MX1_KEY":                                                  "",
	} {
		text := "bgp: {as: 64512, router_id: 10.0.0.2}\nneighbors:\n- {name: mx1, address: 10.0.0.1, as: 64512, " + name + "}\n"
		_, err := load("f.yaml", []byte(text), flags(t), nil)
		if got := errorText(err); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// What is said of restarts means the same however it is said, and is printed with
// its defaults.
func TestNeighborRestart(t *testing.T) {
	for _, tt := range []struct {
		said, printed string
		want          neighbor.RestartSettings
	}{
		{"", "[inet-vpn, inet6-vpn] 300 0", neighbor.RestartSettings{}},
		{"graceful_restart: [inet6-vpn, inet-vpn], restart_time: 300, long_lived_time: 0", "[inet-vpn, inet6-vpn] 300 0", neighbor.RestartSettings{}},
		{"graceful_restart: [inet-vpn, route-target]", "[inet-vpn] 300 0", neighbor.RestartSettings{Without: neighbor.NewFamilies(neighbor.Inet6VPN)}},
		{"graceful_restart: [none]", "[none] 300 0", neighbor.RestartSettings{Without: neighbor.AllFamilies}},
		{"restart_time: 1, long_lived_time: 16777215", "[inet-vpn, inet6-vpn] 1 16777215 [inet-vpn, inet6-vpn]", neighbor.RestartSettings{Time: 1, LongLivedTime: 16777215}},
		{"restart_time: 4095, long_lived_time: 1, long_lived: [inet-vpn]", "[inet-vpn, inet6-vpn] 4095 1 [inet-vpn]",
			neighbor.RestartSettings{Time: 4095, LongLivedTime: 1, LongLived: neighbor.NewFamilies(neighbor.InetVPN)}},
	} {
		text := good + "neighbors:\n- {name: mx1, address: 10.0.0.1, as: 64512, families: [inet-vpn, inet6-vpn], " + tt.said + "}\n"
		c, err := load("f.yaml", []byte(text), flags(t), nil)
		if err != nil {
			t.Errorf("%s: %v", tt.said, err)
			continue
		}
		if got := c.Neighbors[0].Restart; got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.said, got, tt.want)
		}
		_, rest, _ := strings.Cut(string(c.YAML()), "hold_time: 90\n")
		rest, _, _ = strings.Cut(rest, "    max_received: ")
		if got := strings.Join(strings.Fields(keyNames.ReplaceAllString(rest, "")), " "); got != tt.printed {
			t.Errorf("%s: printed %s, want %s", tt.said, got, tt.printed)
		}
		roundTrip(t, c)
	}
}

var keyNames = regexp.MustCompile(`\w+:`)

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
