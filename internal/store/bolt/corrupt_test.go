package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

// sample returns the bytes of a small store that has all that a file can have:
// a tree with branches, long values, free pages; and its content.
func sample(t *testing.T) ([]byte, storetest.Model) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "buoy.db")
	s := reopen(t, path)
	for i := range 6 {
		var mutations []inventory.Mutation
		for j := range 100 {
			key := fmt.Sprintf("key/%d/%d", i, j)
			mutations = append(mutations, put(key, inventory.Absent, strings.Repeat(key, 10)))
		}
		mustCommit(t, s, mutations...)
	}
	mustCommit(t, s, put("long", inventory.Absent, strings.Repeat("long", 3000)))
	var mutations []inventory.Mutation
	for j := range 100 {
		mutations = append(mutations, del(fmt.Sprintf("key/2/%d", j)))
	}
	mustCommit(t, s, mutations...)
	notes := map[string][]byte{}
	for i := range 60 {
		notes[fmt.Sprint("note", i)] = []byte(strings.Repeat("note", 100))
	}
	if err := s.SaveNotes(notes); err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		s.Record(history.Event{Kind: history.Observed, Subject: fmt.Sprint("node", i), Reason: strings.Repeat("reason", 50)})
	}
	mustCommit(t, s, put("last", inventory.Absent, "1"))
	want := storetest.Content(t, s)
	mustClose(t, s)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content, want
}

// sampleNotes checks that the notes of sample are there.
func sampleNotes(t *testing.T, s *Store) {
	t.Helper()
	notes, err := s.LoadNotes()
	if err != nil || len(notes) != 60 {
		t.Errorf("%d notes, %v", len(notes), err)
	}
	for name, text := range notes {
		if string(text) != strings.Repeat("note", 100) {
			t.Errorf("%s is %q", name, text)
		}
	}
}

// openBytes opens a file of these bytes. Either that fails with ErrCorrupt and
// leaves the file as it is, or the store has the content and, if that is to be
// tried, works.
func openBytes(t *testing.T, path string, content []byte, want storetest.Model, try bool) (corrupt bool) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if errors.Is(err, store.ErrCorrupt) {
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore it from a backup") {
			t.Errorf("the error does not help: %v", err)
		}
		if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, content) {
			t.Errorf("Open has changed a damaged file: %v", err)
		}
		return true
	}
	if err != nil {
		t.Errorf("Open: %v", err)
		return false
	}
	defer s.Close()
	if diff := want.Diff(storetest.Content(t, s)); diff != "" {
		t.Errorf("a damaged store was opened: %s", diff)
	}
	sampleNotes(t, s)
	if !try {
		return false
	}
	// The pages that the next transactions take must be free indeed.
	next := storetest.Model{Revision: want.Revision, Keys: map[string]storetest.Entry{}}
	for key, entry := range want.Keys {
		next.Keys[key] = entry
	}
	for range 2 {
		mutations := []inventory.Mutation{put("key/0/0", inventory.AnyVersion, strings.Repeat("x", 20_000)), del("key/5/50")}
		next.Commit(mutations)
		mustCommit(t, s, mutations...)
	}
	mustClose(t, s)
	s = reopen(t, path)
	if diff := next.Diff(storetest.Content(t, s)); diff != "" {
		t.Errorf("a damaged store was opened, and broke later: %s", diff)
	}
	mustClose(t, s)
	return false
}

func TestCorruptFiles(t *testing.T) {
	content, want := sample(t)
	path := filepath.Join(t.TempDir(), "buoy.db")
	if openBytes(t, path, content, want, true) {
		t.Fatal("the sample is corrupt")
	}
	zeroed := slices.Clone(content)
	clear(zeroed[8192:])
	for name, damaged := range map[string][]byte{
		"empty":      {},
		"one byte":   {0},
		"text":       []byte(strings.Repeat("networks:\n", 1000)),
		"zeros":      make([]byte, len(content)),
		"only roots": zeroed,
	} {
		if !openBytes(t, path, damaged, want, true) {
			t.Errorf("%s: it was opened", name)
		}
	}
	// bbolt's file is larger than what is in use, so the end may be missing.
	inUse := 0
	for size := 0; size < len(content); size += 2048 {
		if !openBytes(t, path, content[:size], want, true) {
			inUse = size
			break
		}
	}
	t.Logf("%d bytes, of which %d are in use", len(content), inUse)
	for _, size := range []int{1, 4095, 4097, 8191, 8193, inUse - 4096, inUse - 1} {
		if size > 0 && size < inUse && size%512 != 0 && !openBytes(t, path, content[:size], want, true) {
			t.Errorf("truncated to %d bytes: it was opened", size)
		}
	}
}

func TestForeignDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("other"))
		return err
	}), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Open: %v", err)
	}
}

// TestBitFlips flips single bits anywhere, half of them where the structure is.
func TestBitFlips(t *testing.T) {
	content, want := sample(t)
	path := filepath.Join(t.TempDir(), "buoy.db")
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	const flips = 400
	corrupt := 0
	for i := range flips {
		at := random.IntN(len(content))
		if i%2 == 0 {
			at = at/4096*4096 + random.IntN(96)
		}
		bit := byte(1) << random.IntN(8)
		content[at] ^= bit
		if openBytes(t, path, content, want, i%8 < 2) {
			corrupt++
		}
		content[at] ^= bit
		if t.Failed() {
			t.Fatalf("seed %d: flip %d, byte %d, bit %#x", seed, i, at, bit)
		}
	}
	t.Logf("seed %d: %d of %d flips in %d bytes were found; the others were in unused bytes", seed, corrupt, flips, len(content))
	if corrupt == 0 {
		t.Error("no flip was found")
	}
}

// TestRootFlips flips every bit of the two roots. A damaged one may be the only
// trace of the last commit, so neither is ever done without.
func TestRootFlips(t *testing.T) {
	content, _ := sample(t)
	for _, start := range []int{pageHeaderSize, os.Getpagesize() + pageHeaderSize} {
		for bit := range 8 * (rootSize - pageHeaderSize) {
			content[start+bit/8] ^= 1 << (bit % 8)
			if _, err := check(bytes.NewReader(content), int64(len(content))); err == nil {
				t.Errorf("byte %d, bit %d was not found", start+bit/8, bit%8)
			}
			content[start+bit/8] ^= 1 << (bit % 8)
		}
	}
	if _, err := check(bytes.NewReader(content), int64(len(content))); err != nil {
		t.Error(err)
	}
}

// TestBranchKeys changes the keys in branches, such that they are still in order. bbolt
// finds what it looks for, and would leave the old page in its place when it writes.
func TestBranchKeys(t *testing.T) {
	content, _ := sample(t)
	found := func() bool {
		_, err := check(bytes.NewReader(content), int64(len(content)))
		return err != nil
	}
	tried := 0
	for at := 0; at < len(content); at += os.Getpagesize() {
		p := page(content[at : at+os.Getpagesize()])
		if p.flags() != branchFlag || p.id() != uint64(at/os.Getpagesize()) || p.count() == 0 {
			continue
		}
		p[8] ^= 0xff
		inUse := found()
		if p[8] ^= 0xff; !inUse {
			continue
		}
		for i := range p.count() {
			key, _, err := p.branchElement(i)
			if err != nil {
				t.Fatal(err)
			}
			key[len(key)-1]--
			if tried++; !found() {
				t.Errorf("page %d: the key %d was changed to %q, and nobody noticed", p.id(), i, key)
			}
			key[len(key)-1]++
		}
	}
	if tried < 20 {
		t.Errorf("only %d keys were changed", tried)
	}
}

// FuzzCheck feeds check with wild pages; it must end without a panic.
func FuzzCheck(f *testing.F) {
	f.Add(uint32(0), []byte{1}, uint32(4096), []byte{0xff, 0xff})
	f.Add(uint32(4*4096+8), []byte{1, 0, 255, 255}, uint32(3*4096), []byte{9})
	var content []byte
	f.Fuzz(func(t *testing.T, at1 uint32, bytes1 []byte, at2 uint32, bytes2 []byte) {
		if content == nil {
			content, _ = sample(t)
		}
		damaged := slices.Clone(content)
		copy(damaged[int(at1%uint32(len(damaged))):], bytes1)
		copy(damaged[int(at2%uint32(len(damaged))):], bytes2)
		_, _ = check(bytes.NewReader(damaged), int64(len(damaged)))
	})
}

// TestCheckAgreesWithBolt: whatever bbolt writes passes, also bbolt's own check.
func TestCheckAgreesWithBolt(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "buoy.db")
	for range 12 {
		s := reopen(t, path)
		for range 4 {
			var mutations []inventory.Mutation
			prefix, remove := fmt.Sprint(random.IntN(3)), random.IntN(2) == 0
			for i := range random.IntN(2000) {
				key := fmt.Sprintf("%s/%s/%d", prefix, strings.Repeat("k", i%50), i)
				if remove {
					mutations = append(mutations, del(key))
				} else {
					mutations = append(mutations, put(key, inventory.AnyVersion, strings.Repeat("v", random.IntN(200))))
				}
			}
			mutations = append(mutations, put("long", inventory.AnyVersion, strings.Repeat("v", random.IntN(100_000))))
			mustCommit(t, s, mutations...)
		}
		if err := s.db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				t.Errorf("bbolt: %v", err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
	}
	mustClose(t, reopen(t, path))
}
