package history

import (
	"context"
	"strings"
	"time"
)

// Event is something that has happened.
type Event struct {
	Sequence uint64    // given by the store, one more for each event
	Time     time.Time // when it was written, or seen
	Kind     Kind
	// Subject is the name of the resource that it happened to. It is empty for the
	// daemon, and for a group.
	Subject string
	Part    string // of the subject, like an interface of a compute node; may be empty
	Address string // of the subject, if it has one
	// Names are those of a group: all of them, or the first few of Count.
	Names []string
	Count uint32 // of a group, or of events that are missing
	Author
	// Before and After are JSON objects with the fields that differ of a resource, or
	// what was observed. One is empty if there was, or is, nothing.
	Before, After string
	Reason        string
}

// Kind says what kind of thing has happened.
type Kind uint8

// The kinds.
const (
	Unknown  Kind = iota
	Created       // a resource
	Changed       // a resource
	Deleted       // a resource
	Observed      // another state was seen
	Started       // the daemon
	Stopped       // the daemon
	Missing       // events could not be written, or read
)

// Group reports whether the event is one of several resources.
func (e *Event) Group() bool { return len(e.Names) > 0 }

// Partial reports whether it is of more resources than it names.
func (e *Event) Partial() bool { return len(e.Names) > 0 && int(e.Count) > len(e.Names) }

// Author is who makes a change, and how.
type Author struct {
	Who     string // a user, an address or a part of the daemon
	Agent   string // the program and its version; may be empty
	Project string // that the request was for; may be empty
	Method  string // like FloatingIPs.Associate
}

type authorKey struct{}

// By returns a context for what an author does.
func By(ctx context.Context, a Author) context.Context { return context.WithValue(ctx, authorKey{}, a) }

// AuthorOf returns whose context it is.
func AuthorOf(ctx context.Context) Author {
	a, _ := ctx.Value(authorKey{}).(Author)
	return a
}

// ProjectOf returns the project that a resource belongs to, or nothing.
func ProjectOf(name string) string {
	rest, ok := strings.CutPrefix(name, "projects/")
	if !ok {
		return ""
	}
	project, _, _ := strings.Cut(rest, "/")
	return project
}

// Collection returns what stands before the last part of a name, without its own
// parents, like floatingIps.
func Collection(name string) string {
	parent := name[:max(strings.LastIndexByte(name, '/'), 0)]
	return parent[strings.LastIndexByte(parent, '/')+1:]
}
