package integration

import (
	"bytes"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestStartRefused: a buoyd that cannot start says why, ends with status 1 and
// leaves the store as it is.
func TestStartRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(w *world)
		stderr  string // CONFIG, STORE and LISTEN stand for what differs
	}{
		"unknown key": {func(w *world) {
			w.writeConfig(strings.Replace(w.buoyd.YAML(), "router_id", "routerid", 1))
		}, "buoyd: CONFIG:3: unknown key bgp.routerid, did you mean bgp.router_id?\nCONFIG: bgp.router_id: expected a unicast IPv4 address, for example 10.0.0.2, got nothing (set it in the file, with BUOYD_BGP_ROUTER_ID or --bgp-router-id)\n"},
		"no such file": {func(w *world) {
			w.writeConfig("")
			os.Remove(w.buoyd.ConfigFile())
		}, "buoyd: flag --config: open CONFIG: no such file or directory\n"},
		"another AS": {func(w *world) {
			w.writeConfig(strings.Replace(w.buoyd.YAML(), "as: 64512", "as: 64513", 1))
		}, "buoyd: store STORE: bgp.as: the store belongs to AS 64512 and the configuration says 64513; automatic route targets depend on it: set bgp.as to 64512; to change the AS, run 'buoyctl set global --as 64513' while the daemon runs with 64512\n"},
		"empty store": {func(w *world) {
			w.writeStore(nil)
		}, "buoyd: open store STORE: store is corrupt: 0 bytes are too few; restore it from a backup, or move it away to start empty\n"},
		"garbage in the store": {func(w *world) {
			w.writeStore([]byte(strings.Repeat("garbage ", 10_000)))
		}, "buoyd: open store STORE: store is corrupt: root 0: not a bbolt file; restore it from a backup, or move it away to start empty\n"},
		"truncated store": {func(w *world) {
			w.writeStore(w.readStore()[:9000])
		}, "buoyd: open store STORE: store is corrupt: truncated: 9000 bytes, expected PAGES pages of 4096; restore it from a backup, or move it away to start empty\n"},
		"changed byte in the store": {func(w *world) {
			w.writeStore(bytes.ReplaceAll(w.readStore(), []byte("203.0.113.5"), []byte("203.0.113.4")))
		}, "buoyd: open store STORE: store is corrupt: the content does not match its checksum; restore it from a backup, or move it away to start empty\n"},
		"locked store": {func(w *world) {
			w.restart()
			w.t.Cleanup(func() {
				if err := w.buoyd.Stop(); err != nil {
					w.t.Error(err)
				}
			})
		}, "buoyd: open store STORE: store is in use by another process\n"},
		"port in use": {func(w *world) {
			l, err := net.Listen("tcp", w.net.Host(1).String())
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { l.Close() })
		}, "buoyd: listen on LISTEN: address already in use; another BGP speaker runs there\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.restart()
			w.public()
			w.associate()
			if err := w.buoyd.Stop(); err != nil {
				t.Fatal(err)
			}
			test.prepare(w)
			before := w.readStore()
			command := w.buoyd.Command()
			r, err := command.Run(w.deadline())
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("CONFIG", w.buoyd.ConfigFile(), "STORE", w.buoyd.StoreFile(),
				"LISTEN", w.net.Host(1).String()).Replace(test.stderr)
			r.Stderr = pages.ReplaceAllString(r.Stderr, "expected PAGES pages")
			if r.Code != 1 || r.Stderr != want || r.Stdout != "" {
				t.Errorf("got status %d\n%q\noutput %q\nwant status 1\n%q", r.Code, r.Stderr, r.Stdout, want)
			}
			// Who has it open writes into its history.
			if name != "locked store" && string(w.readStore()) != string(before) {
				t.Error("the store has changed")
			}
		})
	}
}

// pages is how much of a store there should be, which depends on what was written together.
var pages = regexp.MustCompile(`expected \d+ pages`)

func (w *world) writeConfig(text string) {
	w.t.Helper()
	if err := w.buoyd.WriteConfig(text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) readStore() []byte {
	w.t.Helper()
	data, err := os.ReadFile(w.buoyd.StoreFile())
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func (w *world) writeStore(data []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.buoyd.StoreFile(), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// TestUnreachable: a daemon that is not there is an exit status of its own, and
// not a wait.
func TestUnreachable(t *testing.T) {
	w := newWorld(t)
	began := time.Now()
	r := w.try("get networks")
	want := "buoyctl: buoyd cannot be reached at " + w.buoyd.Server() + ": no such file or directory\n" +
		"Is it running? --server or BUOY_SERVER says where.\n"
	if r.Code != 4 || r.Stderr != want {
		t.Errorf("got %d %q\nwant 4 %q", r.Code, r.Stderr, want)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
