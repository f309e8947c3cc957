package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// vpnHas waits until a router's VPN tables have exactly these routes.
func (w *world) vpnHas(r router, g lab.Gateway, want ...map[lab.Family]string) {
	w.t.Helper()
	for _, family := range vpnFamilies {
		w.has(fmt.Sprintf("the %s table", family), routesAs(r.seen, family, want), func(ctx context.Context) ([]lab.Route, error) {
			return g.VPN(ctx, family)
		})
	}
}

// vrfHas waits until a VRF of a router has exactly these routes.
func (w *world) vrfHas(r router, g lab.Gateway, name string, want ...map[lab.Family]string) {
	w.t.Helper()
	for _, family := range vpnFamilies {
		w.has(fmt.Sprintf("VRF %s, %s", name, family), routesAs(r.inVRF, family, want), func(ctx context.Context) ([]lab.Route, error) {
			return g.VRF(ctx, name, family)
		})
	}
}

func (w *world) has(what string, want []string, get func(context.Context) ([]lab.Route, error)) {
	w.t.Helper()
	w.eventually(what+" has them", func(ctx context.Context) error {
		routes, err := get(ctx)
		return compare(routes, err, want)
	})
}

// routesAs returns the routes of a family as a router shows them, in its order.
func routesAs(shown func(string) string, family lab.Family, routes []map[lab.Family]string) (want []string) {
	for _, byFamily := range routes {
		if route := byFamily[family]; route == "" {
			continue
		} else if shown == nil {
			want = append(want, route)
		} else {
			want = append(want, shown(route))
		}
	}
	slices.Sort(want)
	return want
}

// shows waits until a router's VPN tables have exactly a VPNv4 and a VPNv6
// route ("" for none), and show them as the step's file says.
func (w *world) shows(r router, g lab.Gateway, step, v4, v6 string) {
	w.t.Helper()
	w.vpnHas(r, g, map[lab.Family]string{lab.VPNv4: v4, lab.VPNv6: v6})
	w.golden(filepath.Join(r.kind, step+".txt"), r.tables(g))
}

// tables returns what the router answers when its operator asks for its VPN
// tables and those of VRFs, without what differs from run to run.
func (r router) tables(g lab.Gateway, vrfs ...string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text := ""
		add := func(command, answer string, err error) error {
			text += "$ " + command + "\n" + answer
			return err
		}
		for _, family := range vpnFamilies {
			if err := add(g.ShowVPN(ctx, family)); err != nil {
				return "", err
			}
			for _, name := range vrfs {
				if err := add(g.ShowVRF(ctx, name, family)); err != nil {
					return "", err
				}
			}
		}
		// Every run has a loopback network and a folder of its own.
		text = strings.ReplaceAll(text, g.Config().Dir, "<dir>")
		text = strings.ReplaceAll(text, g.Config().Peer.Addr().String(), "<buoy>")
		text = strings.ReplaceAll(text, g.Config().Addr.Addr().String(), "<router>")
		if r.volatile != nil {
			text = r.volatile.ReplaceAllString(text, "<…>")
		}
		return text, nil
	}
}

// golden waits until a text is that of a file of testdata: a router may have a
// route before it shows all of it. With -update the text becomes the file.
func (w *world) golden(name string, text func(context.Context) (string, error)) {
	w.t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		got, err := text(w.deadline())
		if err == nil {
			err = os.MkdirAll(filepath.Dir(file), 0o755)
		}
		if err == nil {
			err = os.WriteFile(file, []byte(got), 0o644)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	var got string
	err = lab.Poll(w.deadline(), file, func(ctx context.Context) error {
		now, err := text(ctx)
		if err != nil {
			return err // and not what it said before it was cut off
		}
		if got = now; got != string(want) {
			return errors.New("it does not say so")
		}
		return nil
	})
	if err != nil {
		w.sameLines(file, got, string(want))
		w.t.Fatal(err)
	}
}

// changed returns a copy of a file, with something else in it.
func (w *world) changed(file, old, new string) string {
	w.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		w.t.Fatalf("the test is wrong: %q is not in %s", old, file)
	}
	changed := filepath.Join(w.dir, filepath.Base(file))
	if err := os.WriteFile(changed, []byte(strings.ReplaceAll(string(text), old, new)), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return changed
}
