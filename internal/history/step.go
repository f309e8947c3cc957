package history

import (
	"bytes"
	"time"
)

const (
	// MaxSingle is how many changes of one step are events of their own.
	MaxSingle = 1000
	// maxNamed is how many names a group has.
	maxNamed = 1000
	// maxValues bounds what an event tells of a resource, in bytes.
	maxValues = 32 << 10
)

// Step is what one request changes. It must not be changed once it is handed on.
type Step struct {
	Author
	Changes []Change
}

// Change is a resource that is written.
type Change struct {
	Key   string // of the store
	Name  string
	After []byte // nil: it is deleted
}

// Events returns what a step means, given the values before it by their keys, nil for
// none. What is written as it was is no event.
func (s *Step) Events(at time.Time, before func(key string) []byte) []Event {
	if len(s.Changes) > MaxSingle {
		return s.groups(at, before)
	}
	events := make([]Event, 0, len(s.Changes))
	for _, c := range s.Changes {
		old := before(c.Key)
		kind := kindOf(old, c.After)
		if kind == Unknown {
			continue
		}
		e := Event{Time: at, Kind: kind, Subject: c.Name, Author: s.Author}
		if e.Before, e.After = Difference(old, c.After); len(e.Before)+len(e.After) > maxValues {
			e.Before, e.After, e.Reason = "", "", "too much to tell the values"
		}
		if e.Address = addressIn(c.After); e.Address == "" {
			e.Address = addressIn(old)
		}
		events = append(events, e)
	}
	return events
}

func kindOf(before, after []byte) Kind {
	switch {
	case before == nil && after == nil, before != nil && after != nil && bytes.Equal(before, after):
		return Unknown
	case before == nil:
		return Created
	case after == nil:
		return Deleted
	default:
		return Changed
	}
}

// groups tells the names alone: by project, since nobody is told of another's, by
// collection and by what was done.
func (s *Step) groups(at time.Time, before func(key string) []byte) (events []Event) {
	type group struct {
		project, collection string
		kind                Kind
	}
	open := map[group]int{} // of events
	for _, c := range s.Changes {
		kind := kindOf(before(c.Key), c.After)
		if kind == Unknown {
			continue
		}
		g := group{ProjectOf(c.Name), Collection(c.Name), kind}
		i, ok := open[g]
		if !ok || len(events[i].Names) == maxNamed {
			i = len(events)
			open[g] = i
			events = append(events, Event{Time: at, Kind: kind, Author: s.Author})
		}
		events[i].Names = append(events[i].Names, c.Name)
		events[i].Count++
	}
	return events
}
