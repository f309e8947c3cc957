package integration

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestGatewayConfig: what buoyctl writes for a router is loaded into it as it is,
// and makes the session and the import.
func TestGatewayConfig(t *testing.T) {
	for _, r := range []router{frr, bird, gobgp} {
		for _, tt := range []struct {
			name, neighbor string // what the neighbor is, beside its name and address
			as             uint32
			public         string // what is said of network vn-public
			key            string
		}{
			{name: "internal", neighbor: "--as 64512", as: ourAS},
			// The routes carry two targets, and the gateway knows the second only
			// as one of several.
			{name: "external with a key", neighbor: "--as 4200000001 --md5-key-file mx1.key", as: 4200000001, key: "s3cret",
				public: "--route-target target:10.9.9.9:7 --export-target target:64512:10003,target:4200000001:5 --import-target target:64512:99"},
			{name: "external with GTSM", neighbor: "--as 64999 --ttl-security 2", as: 64999},
		} {
			t.Run(r.kind+" "+tt.name, func(t *testing.T) {
				w := newWiredWorld(t, r.kind)
				if err := os.WriteFile(filepath.Join(filepath.Dir(w.buoyd.ConfigFile()), "mx1.key"), []byte("s3cret"), 0o600); err != nil {
					t.Fatal(err)
				}
				w.start()
				w.public()
				w.ctl("create network vn-other --subnet 198.51.100.0/24 --route-target target:64512:20000")
				w.ctl("allocate floatingip other-4 --network vn-other --address 198.51.100.7")
				if tt.public != "" {
					w.ctl("set network vn-public " + tt.public)
				}
				w.ctl("create neighbor mx1 --address 10.0.0.1 " + tt.neighbor)

				text := w.ctl("gateway-config --vendor " + r.kind + " --local-address 10.0.0.2")
				if tt.key != "" {
					if strings.Contains(text, tt.key) {
						t.Errorf("got the key in\n%s", text)
					}
					text = strings.ReplaceAll(text, "THE-MD5-KEY", tt.key)
				}
				g := w.wired(r.kind, text, tt.as)
				w.established("mx1")
				w.associate()
				w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
				w.ctl("associate floatingip other-4 --computenode cmp1 --interface tap1 --fixed-ip 10.47.0.7 --label 101")
				w.reaches(g, "vn-public", lab.VPNv4, "203.0.113.5/32")
				w.reaches(g, "vn-public", lab.VPNv6, "2001:db8:f::5/128")
				w.reaches(g, "vn-other", lab.VPNv4, "198.51.100.7/32")
				w.reaches(g, "vn-other", lab.VPNv6)

				w.ctl("disassociate floatingip web-1")
				w.reaches(g, "vn-public", lab.VPNv4)
				w.reaches(g, "vn-other", lab.VPNv4, "198.51.100.7/32")
			})
		}
	}
}

// TestGatewayConfigTargets: each form of a target imports, in the words of the
// router; a network whose only target FRR has no words for is left out there.
func TestGatewayConfigTargets(t *testing.T) {
	for _, r := range []router{frr, bird, gobgp} {
		for _, target := range []string{"target:10.9.9.9:7", "target:4200000001:5", "target:64512L:5"} {
			t.Run(r.kind+" "+target, func(t *testing.T) {
				w := newWiredWorld(t, r.kind)
				w.start()
				w.public()
				w.ctl("set network vn-public --route-target " + target)
				w.ctl("create neighbor mx1 --address 10.0.0.1 --as 64512")
				text := w.ctl("gateway-config --vendor " + r.kind + " --local-address 10.0.0.2")
				g := w.wired(r.kind, text, ourAS)
				w.established("mx1")
				w.associate()
				if r.kind == "frr" && strings.Contains(target, "L") {
					if !strings.Contains(text, "vn-public has no VRF here") {
						t.Errorf("got\n%s\nwant a word about vn-public", text)
					}
					return
				}
				w.reaches(g, "vn-public", lab.VPNv4, "203.0.113.5/32")
			})
		}
	}
}

// TestGatewayConfigChecked: FRR and BIRD read what is written for all that is
// odd, once the placeholders are replaced.
func TestGatewayConfigChecked(t *testing.T) {
	needs(t, "frr", "bird")
	known := strings.NewReplacer("BUOY-ADDRESS", "2001:db8::2", "THE-MD5-KEY", "s3cret")
	for _, name := range []string{"plain", "odd", "external"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			dir := filepath.Join("../internal/gatewayconfig/testdata", name)
			loaded := func(vendor, as string) string {
				data, err := os.ReadFile(filepath.Join(dir, vendor+".txt"))
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(w.folder(vendor), as)
				if err := os.WriteFile(file, []byte(known.Replace(string(data))), 0o644); err != nil {
					t.Fatal(err)
				}
				return file
			}
			if err := lab.CheckFRRConfig(w.deadline(), filepath.Dir(loaded("frr", "frr.conf"))); err != nil {
				t.Error(err)
			}
			if err := lab.CheckBirdConfig(w.deadline(), loaded("bird", "bird.conf")); err != nil {
				t.Error(err)
			}
		})
	}
}

// newWiredWorld is a world with a wire between Buoy and a gateway.
func newWiredWorld(t *testing.T, kind string) *world {
	t.Helper()
	needs(t, kind)
	w := newWorld(t)
	wire, err := lab.NewWire(w.deadline())
	if errors.Is(err, lab.ErrNeedsRoot) {
		cannot(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wire.Close() })
	w.wire = wire
	w.buoyd = lab.NewBuoyd(programs, lab.BuoydConfig{
		Dir: w.folder("wired"), AS: ourAS, RouterID: netip.MustParseAddr("10.0.0.2"), Listen: lab.WiredBuoy, Wire: wire,
	})
	return w
}

// kernelVRF finds the VRFs that a configuration for FRR asks the kernel for.
var kernelVRF = regexp.MustCompile(`(?m)^! +ip link add (\S+) type vrf`)

// kernelRoute finds the routes that it asks the kernel for, but for those of the wire.
var kernelRoute = regexp.MustCompile(`(?m)^! +(ip -6 route add \S+ dev gre1)$`)

// wired starts a router at the other end of the wire, with a configuration.
func (w *world) wired(kind, text string, as uint32) lab.Gateway {
	w.t.Helper()
	g := w.routerOf(kind, lab.GatewayConfig{Dir: w.folder("mx1"), Addr: lab.WiredGateway, AS: as, RouterID: lab.WiredGateway.Addr(),
		Peer: lab.WiredBuoy, PeerAS: ourAS, Text: text, Wire: w.wire})
	if f, ok := g.(*lab.FRR); ok {
		for _, name := range kernelVRF.FindAllStringSubmatch(text, -1) {
			if err := f.MakeVRF(w.deadline(), name[1]); err != nil {
				w.t.Fatal(err)
			}
		}
		for _, route := range kernelRoute.FindAllStringSubmatch(text, -1) {
			if err := w.wire.Configure(w.deadline(), route[1]); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return g
}

// reaches waits until a VRF of the gateway has exactly these prefixes, all at the
// compute node.
func (w *world) reaches(g lab.Gateway, name string, family lab.Family, prefixes ...string) {
	w.t.Helper()
	if g.Kind() == "bird" {
		name = strings.ReplaceAll(name, "-", "_")
	}
	w.eventually("VRF "+name+" reaches them", func(ctx context.Context) error {
		routes, err := g.VRF(ctx, name, family)
		if err != nil {
			return err
		}
		var got []string
		for _, r := range routes {
			if r.NextHop.Unmap() != netip.MustParseAddr("10.0.0.11") && r.NextHop != netip.MustParseAddr("64:ff9b:1::a00:b") {
				return fmt.Errorf("got %s by way of %s", r.Prefix, r.NextHop)
			}
			got = append(got, r.Prefix.String())
		}
		if !slices.Equal(got, prefixes) {
			return fmt.Errorf("got %v, want %v", got, prefixes)
		}
		return nil
	})
}
