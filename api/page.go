package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
)

// maxPage is how many resources a page has at most, and by default.
const maxPage = 1000

// page is which part of a list a request asks for. Pages are told apart by the
// last name of the one before: what comes or goes in between moves nothing else
// from one page to another.
type page struct {
	size  int
	after string // a name; empty at the beginning
}

// page reads the size and the token of a request for resources of a kind.
func (f *fields) page(size int32, token string, kind inventory.Kind) page {
	p := page{size: f.pageSize(size)}
	if token == "" {
		return p
	}
	var ok bool
	if p.after, ok = readToken(token); !ok || inventory.KindOf(p.after) != kind {
		f.fail("page_token", errToken)
	}
	return p
}

var errToken = errors.New("expected the next_page_token of the page before")

func (f *fields) pageSize(size int32) int {
	switch {
	case size < 0:
		f.fail("page_size", fmt.Errorf("expected 0..%d, got %d", maxPage, size))
	case size == 0:
		return maxPage
	}
	return min(int(size), maxPage)
}

func writeToken(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func readToken(token string) (text string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return string(b), err == nil
}

// pageOf returns the resources of a page and the token of the next one. The list is
// all names in their order, or at least those behind the page before; takes says
// which of them count.
func pageOf[R any](p page, list iter.Seq[R], name func(R) string, takes func(R) bool) (on []R, next string) {
	for r := range list {
		switch {
		case name(r) <= p.after || !takes(r):
		case len(on) < p.size:
			on = append(on, r)
		default: // one more, so it is not the last page
			return on, writeToken(name(on[p.size-1]))
		}
	}
	return on, ""
}

// within ends a list where the names no longer begin with a prefix. The names
// before those that do are not in it.
func within[R any](list iter.Seq[R], name func(R) string, prefix string) iter.Seq[R] {
	return func(yield func(R) bool) {
		for r := range list {
			if !strings.HasPrefix(name(r), prefix) || !yield(r) {
				return
			}
		}
	}
}

// all takes every resource.
func all[R any](R) bool { return true }
