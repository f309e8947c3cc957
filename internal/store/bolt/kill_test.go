package bolt

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store/storetest"
)

var killPath = flag.String("kill-path", "", "commit to this store until killed (TestKill starts itself with it)")

// TestMain turns the test binary into the process that is killed.
func TestMain(m *testing.M) {
	flag.Parse()
	if *killPath == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, commitForever(*killPath))
	os.Exit(1)
}

// commitForever prints "key revision" after each commit.
func commitForever(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	run := rand.Uint64()
	failed := make(chan error)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d/%d/%d", run, w, i)
				revision, err := s.Commit(context.Background(), []inventory.Mutation{
					put(key, inventory.Absent, key),
					put("hot", inventory.AnyVersion, key),
					del(fmt.Sprintf("tmp/%d/%d", w, i-1)),
					put(fmt.Sprintf("tmp/%d/%d", w, i), inventory.AnyVersion, key),
				}, history.Step{Author: history.Author{Who: "child"}, Changes: []history.Change{{Key: key, Name: key, After: []byte(key)}}})
				s.Record(history.Event{Kind: history.Observed, Subject: "seen"})
				if err != nil {
					failed <- err
					return
				}
				// One write is one line, even in a pipe that others write to.
				if _, err := fmt.Fprintf(os.Stdout, "%s %d\n", key, revision); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// TestKill kills a process in the midst of its commits, again and again. Every
// commit that it was told of is there. (A lost sync would only show after a
// power failure.) Each commit that is there has its event, and no other has one.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := map[string]uint64{}
	last := uint64(0)
	for round := range 6 {
		killAfter(t, path, 1+random.IntN(400), acknowledged)
		s := reopen(t, path)
		m := storetest.Content(t, s)
		events := eventsBySubject(t, s)
		for key := range m.Keys {
			if n := events[key]; n != 1 && key != "hot" && !strings.HasPrefix(key, "tmp/") {
				t.Errorf("seed %d, round %d: %s has %d events", seed, round, key, n)
			}
		}
		for key := range events {
			if _, there := m.Keys[key]; !there && key != "seen" {
				t.Errorf("seed %d, round %d: %s has an event and was never committed", seed, round, key)
			}
		}
		mustClose(t, s)
		for key, revision := range acknowledged {
			if entry := m.Keys[key]; uint64(entry.Version) != revision || entry.Value != key {
				t.Errorf("seed %d, round %d: %s has version %d, was acknowledged at %d", seed, round, key, entry.Version, revision)
			}
			last = max(last, revision)
		}
		if m.Revision < last {
			t.Errorf("seed %d, round %d: revision %d, was %d", seed, round, m.Revision, last)
		}
		last = m.Revision
	}
	t.Logf("%d acknowledged of %d commits", len(acknowledged), last)
}

// killAfter kills the child after so many commits, and notes all it was told of.
func killAfter(t *testing.T, path string, commits int, acknowledged map[string]uint64) {
	t.Helper()
	child := exec.Command(os.Args[0], "-kill-path", path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	n := 0
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		var key string
		var revision uint64
		if _, scanErr := fmt.Sscan(line, &key, &revision); err != nil || scanErr != nil {
			t.Errorf("line %q: %v, %v", line, err, scanErr)
			break
		}
		acknowledged[key] = revision
		if n++; n == commits {
			child.Process.Kill()
		}
	}
	child.Process.Kill()
	if err := child.Wait(); err == nil || n < commits {
		t.Fatalf("the child ended after %d of %d commits: %v", n, commits, err)
	}
}
