package config

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	of := func(text string, args ...string) Config {
		t.Helper()
		c, err := load("f.yaml", []byte(text), flags(t, args...), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const mx2 = "{name: mx2, address: 10.0.0.3, as: 1}"
	for _, tt := range []struct {
		name      string
		have, now Config
		want      []string
	}{
		{"none", of(neighbors(mx1)), of(neighbors(mx1)), nil},
		{"a value and a list", of(good), of(good, "--bgp-as=1", "--bgp-listen=127.0.0.1:0,[::1]:0"),
			[]string{"bgp.as: 64512 → 1", "bgp.listen: [0.0.0.0:179] → [127.0.0.1:0, [::1]:0]"}},
		{"what is left out", of(good, "--pools-global=projects/p/networks/n/pools/a"), of(good),
			[]string{"pools.global: projects/p/networks/n/pools/a → none"}},
		{"a neighbor that comes", of(neighbors(mx1)), of(neighbors(mx1, mx2)), []string{"neighbors[mx2]: none → mx2"}},
		{"one that goes, and the other place", of(neighbors(mx2, mx1)), of(neighbors(mx1)), []string{"neighbors[mx2]: mx2 → none"}},
		{"the first one", of(good), of(neighbors(mx2)), []string{"neighbors[mx2]: none → mx2"}},
		{"the only one", of(neighbors(mx2)), of(good), []string{"neighbors[mx2]: mx2 → none"}},
		{"of a neighbor", of(neighbors(mx2)), of(neighbors("{name: mx2, address: 10.0.0.3, as: 2, max_advertised: 7}")),
			[]string{"neighbors[mx2].as: 1 → 2", "neighbors[mx2].max_advertised: none → 7"}},
	} {
		if got := tt.have.Differences(tt.now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
