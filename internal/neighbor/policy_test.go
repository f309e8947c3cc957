package neighbor

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

func targets(t testing.TB, texts ...string) (set routetarget.Set) {
	t.Helper()
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAccepts(t *testing.T) {
	web, other, none := targets(t, "target:64512:1", "target:64512:2"), targets(t, "target:64512:3"), routetarget.Set{}
	for _, tt := range []struct {
		name    string
		policy  Policy
		prefix  string
		targets routetarget.Set
		want    bool
	}{
		{"all", Policy{}, "10.0.0.0/8", none, true},
		{"nothing", Policy{AcceptPrefixes: filter(t, "none")}, "10.0.0.0/8", web, false},
		{"prefix", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8 le 24")}, "10.1.0.0/16", none, true},
		{"another prefix", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8 le 24")}, "10.1.0.0/25", web, false},
		{"another family", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8 le 24")}, "2001:db8::/32", web, false},
		{"target", Policy{AcceptTargets: targets(t, "target:64512:2", "target:64512:9")}, "2001:db8::/32", web, true},
		{"another target", Policy{AcceptTargets: web}, "10.0.0.0/8", other, false},
		{"no target", Policy{AcceptTargets: web}, "10.0.0.0/8", none, false},
		{"both", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8"), AcceptTargets: web}, "10.0.0.0/8", web, true},
		{"the prefix alone", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8"), AcceptTargets: web}, "10.0.0.0/8", other, false},
		{"the target alone", Policy{AcceptPrefixes: filter(t, "10.0.0.0/8"), AcceptTargets: web}, "11.0.0.0/8", web, false},
	} {
		prefix := netip.MustParsePrefix(tt.prefix)
		if got := tt.policy.Accepts(prefix, tt.targets); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
		if n := testing.AllocsPerRun(10, func() { tt.policy.Accepts(prefix, tt.targets) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

func TestMaxReceivedAction(t *testing.T) {
	for text, want := range map[string]MaxReceivedAction{"warn": MaxReceivedWarn, "stop": MaxReceivedStop} {
		var got MaxReceivedAction
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "Warn", "shutdown"} {
		if _, err := ParseMaxReceivedAction(text); err == nil || err.Error() != `expected warn or stop, got "`+text+`"` {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMaxRoutes(t *testing.T) {
	for _, tt := range []struct {
		policy Policy
		want   int
	}{
		{Policy{}, 100_000},
		{Policy{MaxReceived: 1}, 1},
		{Policy{MaxReceived: 4294967295}, 4294967295},
		{Policy{AcceptPrefixes: filter(t, "10.0.0.0/8")}, 100_000},
		{Policy{MaxReceived: 7, AcceptPrefixes: filter(t, "none")}, 0},
	} {
		if got := tt.policy.MaxRoutes(); got != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.policy, got, tt.want)
		}
	}
}
