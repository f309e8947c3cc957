package config

import (
	"testing"
)

func TestNeighborSession(t *testing.T) {
	for name, want := range map[string]string{
		"hold_time: 2":                        "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"2\"",
		"hold_time: 65536":                    "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"65536\"",
		"multihop: 256":                       "f.yaml:3: neighbors[0].multihop (mx1): expected 1..255 hops, got \"256\"",
		"hold_time: soon":                     "f.yaml:3: neighbors[0].hold_time (mx1): expected 3..65535 seconds, got \"soon\"",
		"hold_time: 30, keepalive_time: 11":   "f.yaml:3: neighbors[0].keepalive_time (mx1): expected at most a third of the hold time, 10 seconds, got 11",
		"ttl_security: 255":                   "f.yaml:3: neighbors[0].ttl_security (mx1): expected 1..254 hops, got \"255\"",
		"ttl_security: 1, multihop: 2":        "f.yaml:3: neighbors[0].multihop (mx1): expected not to go with ttl_security, which always sends with a TTL of 255",
		"local_address: \"2001:db8::1\"":      "f.yaml:3: neighbors[0].local_address (mx1): 2001:db8::1 and the neighbor's address 10.0.0.1 are of different families",
		"local_address: mx1":                  "f.yaml:3: neighbors[0].local_address (mx1): expected an IPv4 or IPv6 address, for example 10.0.0.1, got \"mx1\"",
		"md5_key_file: /k, md5_key_env: K":    "f.yaml:3: neighbors[0].md5_key_env (mx1): expected a file or an environment variable, not both",
		"md5_key_env: \"A=B\"":                "f.yaml:3: neighbors[0].md5_key_env (mx1): expected the name of an environment variable, got \"A=B\"",
		"hold_time: 9, keepalive_time: 3":     "",
		"multihop: 255, md5_key_env: MX1_KEY": "",
	} {
		text := "bgp: {as: 64512, router_id: 10.0.0.2}\nneighbors:\n- {name: mx1, address: 10.0.0.1, as: 64512, " + name + "}\n"
		_, err := load("f.yaml", []byte(text), flags(t), nil)
		if got := errorText(err); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
