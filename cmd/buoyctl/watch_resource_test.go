package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// watcher is a buoyctl that goes on until it is interrupted.
type watcher struct {
	testing.TB
	*running
}

func watchWith(t testing.TB, server, line string) *watcher {
	return &watcher{t, runBuoyctl(t, server, line)}
}

// shows waits for what is to come next on stdout.
func (w *watcher) shows(lines ...string) {
	w.Helper()
	w.stdout.expect(w, strings.Join(lines, "\n")+"\n")
}

// ends interrupts it.
func (w *watcher) ends() {
	w.Helper()
	w.interrupt()
	select {
	case status := <-w.status:
		if status != exitOK {
			w.Errorf("got status %d, want 0; %s", status, w.stderr.rest())
		}
	case <-time.After(10 * time.Second):
		w.Error("interrupted, and still there after 10s")
	}
	if rest := w.stdout.rest(); rest != "" {
		w.Errorf("then it showed %q, want nothing", rest)
	}
}

// rest returns what nobody has taken.
func (s *screen) rest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// expect waits for a text, takes it away, and fails if it is another one.
func (s *screen) expect(t testing.TB, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); len(s.rest()) < len(want) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.text.String(); !strings.HasPrefix(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	s.text.Next(len(want))
}

func TestWatchResources(t *testing.T) {
	server := startServer(t)
	must(t, server, "create network vn-public --subnet 203.0.113.0/24\ncreate network vn-other")
	table := watchWith(t, server, "get networks -w")
	table.shows("NAME        ID   SUBNETS          ROUTE-TARGETS", "vn-other    2    -                -", "vn-public   1    203.0.113.0/24   -")
	one := watchWith(t, server, "get network vn-other --watch -o json")
	one.stdout.expect(t, `{"name":"projects/default/networks/vn-other"`)
	all := watchWith(t, server, "get networks -A -w --project dev")
	names := watchWith(t, server, "get networks -w -o name")
	names.shows("projects/default/networks/vn-other", "projects/default/networks/vn-public")
	must(t, server, "set network vn-public --route-target target:64512:10003\ncreate network own --project dev")
	table.shows("vn-public   1    203.0.113.0/24   target:64512:10003")
	names.shows("projects/default/networks/vn-public")
	must(t, server, "delete network vn-other")
	table.shows("vn-other    deleted")
	names.shows("projects/default/networks/vn-other deleted")
	all.shows("PROJECT   NAME   ID   SUBNETS   ROUTE-TARGETS", "dev       own    3    -         -")
	for _, w := range []*watcher{table, all, names} {
		w.ends()
	}
	for !strings.HasSuffix(one.stdout.rest(), "{\"deleted\":\"projects/default/networks/vn-other\"}\n") {
		time.Sleep(5 * time.Millisecond)
	}
	if got := one.stdout.rest(); strings.Count(got, "\n") != 2 {
		t.Errorf("-o json: got %s, want an object a line", got)
	}
}

// With --filter what no longer fulfils it is gone, and comes back when it does.
func TestWatchFilter(t *testing.T) {
	server := startServer(t)
	must(t, server, "create network n --subnet 203.0.113.0/24\ncreate pool p --network n --range 203.0.113.1-203.0.113.2")
	free := watchWith(t, server, "get pools -w --filter used<1 -o name")
	free.shows("projects/default/networks/n/pools/p")
	nodes := watchWith(t, server, "get computenodes -w --filter address:10.0.0.1 -o name")
	must(t, server, "allocate floatingip web-1 --pool p\ncreate computenode cmp1 --address 10.0.0.11\ncreate computenode cmp2 --address 10.0.0.22")
	free.shows("projects/default/networks/n/pools/p gone")
	nodes.shows("computeNodes/cmp1")
	must(t, server, "release floatingip web-1\nset computenode cmp1 --address 10.0.0.33")
	free.shows("projects/default/networks/n/pools/p")
	nodes.shows("computeNodes/cmp1 gone")
	for _, w := range []*watcher{free, nodes} {
		w.ends()
	}
}

// What there is one of is watched, too.
func TestWatchGlobal(t *testing.T) {
	server := startServer(t)
	w := watchWith(t, server, "get global -w")
	w.shows("NAME         AS      SESSION-AS", "global/bgp   64512   64512")
	must(t, server, "set global --as 64600")
	w.shows("global/bgp   64600   64512")
	w.ends()
}

// Every noun can be watched, with its filters.
func TestWatchNouns(t *testing.T) {
	server := startServer(t)
	watchers := map[string]*watcher{}
	for _, noun := range []string{"networks", "pools", "poolbindings", "computenodes", "neighbors", "floatingips"} {
		watchers[noun] = watchWith(t, server, "get "+noun+" -w -o name")
	}
	watchers["neighbors"].shows("neighbors/mx0")
	must(t, server, "create network n --subnet 203.0.113.0/24\ncreate pool p --network n --range 203.0.113.0/28\nbind pool p --namespace dev\ncreate computenode cmp1 --address 10.0.0.11\ncreate neighbor mx1 --address 10.0.0.1 --as 64512")
	watchers["networks"].shows("projects/default/networks/n")
	watchers["pools"].shows("projects/default/networks/n/pools/p")
	watchers["poolbindings"].shows("namespaces/dev/poolBinding")
	watchers["computenodes"].shows("computeNodes/cmp1")
	watchers["neighbors"].shows("neighbors/mx1")
	some := watchWith(t, server, "get fips -w --pool p -o yaml")
	must(t, server, "allocate floatingip other --network n")
	watchers["floatingips"].shows("projects/default/floatingIps/other")
	must(t, server, "allocate floatingip web-1 --pool p")
	watchers["floatingips"].shows("projects/default/floatingIps/web-1")
	must(t, server, "release floatingip other")
	watchers["floatingips"].shows("projects/default/floatingIps/other deleted")
	must(t, server, "release floatingip web-1")
	watchers["floatingips"].shows("projects/default/floatingIps/web-1 deleted")
	for !strings.Contains(some.stdout.rest(), "deleted") {
		time.Sleep(5 * time.Millisecond)
	}
	if got := some.stdout.rest(); !strings.HasPrefix(got, "kind: FloatingIP\nname: projects/default/floatingIps/web-1\n") ||
		!strings.HasSuffix(got, "\n---\ndeleted: projects/default/floatingIps/web-1\n") || strings.Contains(got, "other") {
		t.Errorf("-o yaml: got %s", got)
	}
}

// A lost connection is made again, and nothing is missed.
func TestWatchResourcesReconnects(t *testing.T) {
	file, path := filepath.Join(t.TempDir(), "buoy.db"), socketPath(t)
	s := serveStore(t, path, file, "")
	server := s.address
	must(t, server, "create network a\ncreate network b")
	w := watchWith(t, server, "get networks -w -o name")
	w.shows("projects/default/networks/a", "projects/default/networks/b")
	s.close()
	w.stderr.expect(t, "the connection to buoyd is lost; trying again\n")
	s = serveStore(t, path, file, "")
	must(t, server, "create network c")
	w.shows("projects/default/networks/c")
	s.close()
	w.stderr.expect(t, "the connection to buoyd is lost; trying again\n")

	// What was done elsewhere, before this daemon began, is not known: all is shown.
	s = serveStore(t, socketPath(t), file, "")
	must(t, s.address, "delete network a")
	s.close()
	serveStore(t, path, file, "")
	w.stderr.expect(t, "what has changed meanwhile is not known; all that there is now comes again\n")
	w.shows("projects/default/networks/b", "projects/default/networks/c", "projects/default/networks/a deleted")
	w.ends()
}

func TestWatchResourcesRefused(t *testing.T) {
	server := startServer(t)
	silent, _ := silent(t)
	for _, tt := range []struct {
		server, args string
		status       int
		stderr       string
	}{
		{server, "get networks nope -w", exitNotFound, "buoyctl: projects/default/networks/nope does not exist\n"},
		{server, "get fips -w --network nope", exitNotFound, "buoyctl: projects/default/networks/nope does not exist\n"},
		{server, "get networks -w --project UP", exitError, "buoyctl: --project: expected lower-case letters, digits and inside the name '-', '_', '.'; got \"UP\"\n"},
		{silent, "get networks -w --timeout 50ms", exitUnreachable, "buoyctl: buoyd at " + silent + " did not answer within 50ms; --timeout allows more\n"},
		{"unix:///nonexistent", "get networks -w", exitUnreachable,
			"buoyctl: buoyd cannot be reached at unix:///nonexistent: no such file or directory\nIs it running? --server or BUOY_SERVER says where.\n"},
	} {
		got := buoyctl(t.Context(), tt.server, strings.Fields(tt.args)...)
		if want := (outcome{tt.status, "", tt.stderr}); got != want {
			t.Errorf("%s: got %+v\nwant %+v", tt.args, got, want)
		}
	}
	var stderr screen
	must(t, server, "create network n")
	if got := run(t.Context(), strings.Fields("get networks -w"), environment(server), strings.NewReader(""), full{}, &stderr); got != exitError {
		t.Errorf("a full disk: got status %d, %s, want %d", got, stderr.rest(), exitError)
	}
}
