package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

// eventsOf returns all events, as they are read piece by piece.
func eventsOf(t testing.TB, s *Store) (all []history.Event) {
	t.Helper()
	first, _, _ := s.Kept()
	for {
		list, err := s.Events(first, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return all
		}
		all, first = append(all, list...), list[len(list)-1].Sequence+1
	}
}

func eventsBySubject(t testing.TB, s *Store) map[string]int {
	count := map[string]int{}
	for _, e := range eventsOf(t, s) {
		count[e.Subject]++
	}
	return count
}

// TestHistoryRestart: the history goes on after a restart, with what was recorded last.
func TestHistoryRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	for round := range 5 {
		s := reopen(t, path)
		if first, next, _ := s.Kept(); first != 1 || next != uint64(2*round+1) {
			t.Errorf("round %d: events %d to %d", round, first, next)
		}
		if _, err := s.Commit(t.Context(), []inventory.Mutation{put("k", inventory.AnyVersion, fmt.Sprint(round))},
			history.Step{Changes: []history.Change{{Key: "k", Name: "k", After: []byte(fmt.Sprint(round))}}}); err != nil {
			t.Fatal(err)
		}
		s.Record(history.Event{Kind: history.Stopped}) // Close writes it
		mustClose(t, s)
		if _, err := s.Events(1, 1); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Events: %v", err)
		}
	}
	var got []string
	for _, e := range eventsOf(t, reopen(t, path)) {
		got = append(got, e.Before+">"+e.After)
	}
	if got, want := strings.Join(got, " "), ">0 > 0>1 > 1>2 > 2>3 > 3>4 >"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHistoryBounds: there are never more events or bytes than there may be, and the
// oldest ones go first.
func TestHistoryBounds(t *testing.T) {
	var path string
	for _, tt := range []struct {
		most, rounds, each int
		size               int
	}{{1, 5, 1, 10}, {100, 60, 7, 10}, {1000, 3, 900, 10}, {1000, 2, 4000, 10}, {100_000, 30, 100, 32 << 10}} {
		path = filepath.Join(t.TempDir(), "buoy.db")
		s, err := Open(path, MaxEvents(tt.most))
		if err != nil {
			t.Fatal(err)
		}
		reason := strings.Repeat("x", tt.size)
		for range tt.rounds {
			_, before, _ := s.Kept()
			for range tt.each {
				s.Record(history.Event{Kind: history.Observed, Subject: "s", Reason: reason})
			}
			mustCommit(t, s, put("k", inventory.AnyVersion, "v"))
			first, next, _ := s.Kept()
			bytes, all := 0, eventsOf(t, s)
			for i, e := range all {
				bytes += len(e.Encode(nil))
				if e.Sequence != first+uint64(i) {
					t.Fatalf("event %d is %d, want %d", i, e.Sequence, first+uint64(i))
				}
			}
			if n := int(next - first); next != before+uint64(tt.each) || len(all) != n || n > tt.most || n < min(tt.most-tt.most/trimPart, int(next-1)) && tt.size < 100 ||
				bytes > maxEventBytes || int64(bytes) != s.events.kept.bytes {
				t.Fatalf("at most %d: %d of %d..%d, %d bytes (%d counted)", tt.most, len(all), first, next, bytes, s.events.kept.bytes)
			}
		}
		mustClose(t, s)
	}
	if s := reopen(t, path); s.events.kept.first < 900 || s.events.kept.bytes < maxEventBytes*9/10 {
		t.Errorf("kept %+v", s.events.kept)
	}
}

// TestHistoryOfOthers: a file without a history opens; what a program that knows of none
// commits is not in it.
func TestHistoryOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	s := reopen(t, path)
	mustCommit(t, s, put("k", inventory.AnyVersion, "v"))
	if err := s.db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(historyBucket) != nil {
			t.Error("there is a history of nothing")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = reopen(t, path)
	if first, next, _ := s.Kept(); first != 1 || next != 1 || len(eventsOf(t, s)) != 0 {
		t.Errorf("%d to %d", first, next)
	}
}

// TestHistoryDamaged: a damaged history keeps no store from opening. An event that is
// damaged says so, and all others are there; when its pages are, they go, and nothing
// else.
func TestHistoryDamaged(t *testing.T) {
	content, want := sample(t)
	path := filepath.Join(t.TempDir(), "buoy.db")
	page := os.Getpagesize()
	values, pages := 0, 0
	for at := range len(content) / page {
		p := content[at*page : (at+1)*page]
		if !strings.Contains(string(p), "reasonreason") || p[8] != leafFlag {
			continue
		}
		// The text of one event, then the place of another one's value.
		for i, damage := range []int{strings.Index(string(p), "reasonreason"), pageHeaderSize + 4} {
			p[damage] ^= 0x55
			if openBytes(t, path, content, want, i == 0) {
				t.Fatal("the store did not open")
			}
			p[damage] ^= 0x55
			s := reopen(t, path)
			unreadable := 0
			for _, e := range eventsOf(t, s) {
				if e.Kind == history.Missing {
					unreadable++
				}
			}
			mustClose(t, s)
			_, err := os.Stat(path + damagedName)
			switch kept := err == nil; {
			case unreadable == 0 && i == 0: // a page that is no longer used
			case i == 0 && !kept && unreadable == 1:
				values++
			case i == 1 && kept && unreadable == 1:
				pages++
			case i == 1 && !kept && unreadable == 0:
			default:
				t.Errorf("page %d, %d: %d events cannot be read; the damaged file is kept: %t", at, i, unreadable, kept)
			}
			os.Remove(path + damagedName)
		}
	}
	if values == 0 || pages == 0 {
		t.Errorf("%d values and %d pages were damaged", values, pages)
	}
	os.WriteFile(path, content, 0o600)
	s := reopen(t, path)
	if n := len(eventsOf(t, s)); n != 400 || s.HistoryLost() != "" {
		t.Errorf("%d events in the sample, lost %q", n, s.HistoryLost())
	}
}

// TestHistoryDiskFull: what was recorded while there is no room is written later, or
// counted.
func TestHistoryDiskFull(t *testing.T) {
	s, err := options{maxEvents: 1 << 20, maxSize: 1 << 20}.open(filepath.Join(t.TempDir(), "buoy.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustCommit(t, s, put("k", inventory.Absent, "1"))
	for range 2 * maxRecorded {
		s.Record(history.Event{Kind: history.Observed, Reason: strings.Repeat("x", 200)})
	}
	if _, err := s.Commit(t.Context(), []inventory.Mutation{put("k", 1, "2")}); err == nil {
		t.Error("events larger than the disk were taken")
	}
	s.events.mu.Lock()
	waiting, missed := len(s.events.recorded), s.events.missed
	s.events.mu.Unlock()
	if waiting != maxRecorded || missed != maxRecorded {
		t.Errorf("%d wait, %d are missing", waiting, missed)
	}
	if got := storetest.Content(t, s); got.Revision != 1 || len(eventsOf(t, s)) != 0 {
		t.Errorf("revision %d, %d events", got.Revision, len(eventsOf(t, s)))
	}
}
