package lab

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
)

// cannot skips the test; in CI it fails, where nobody would notice.
func cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// TestZebraWorlds: two at once have the same names in them, and the machine
// sees nothing of either.
func TestZebraWorlds(t *testing.T) {
	if missing := MissingPackages("frr"); len(missing) > 0 {
		cannot(t, "not installed: apt-get install "+strings.Join(missing, " "))
	}
	ctx := deadline(t)
	const vrf = "buoy-test"
	for range 2 {
		w, err := startFRRZebra(ctx, GatewayConfig{Dir: t.TempDir()})
		if errors.Is(err, ErrNeedsRoot) {
			cannot(t, err.Error())
		} else if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.close)
		if err := w.addVRF(ctx, vrf); err != nil {
			t.Fatal(err)
		}
		if err := w.run(ctx, "ip", "link", "show", frrTunnel); err != nil {
			t.Error(err)
		}
		if err := w.run(ctx, "ip", "netns", "exec", vrf, "true"); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat("/run/netns/" + vrf); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the namespace is visible (%v)", err)
	}
	if _, err := net.InterfaceByName(frrTunnel); err == nil {
		t.Error("the tunnel is visible")
	}
}

// TestMissingPackages: each is named once, and only if it is missing.
func TestMissingPackages(t *testing.T) {
	saved := packages
	t.Cleanup(func() { packages = saved })
	packages = map[string]debianPackage{
		"there":     {"coreutils", []string{"/bin/sh"}},
		"not-there": {"nosuch", []string{"/nonexistent/a", "/nonexistent/b"}},
	}
	for _, test := range []struct {
		kinds []string
		want  string
	}{
		{nil, "nosuch"},
		{[]string{"there"}, ""},
		{[]string{"not-there", "there", "built-here"}, "nosuch"},
	} {
		if got := strings.Join(MissingPackages(test.kinds...), " "); got != test.want {
			t.Errorf("%v: got %q, want %q", test.kinds, got, test.want)
		}
	}
}
