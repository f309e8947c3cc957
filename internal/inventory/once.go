package inventory

import (
	"cmp"
	"encoding/json"
	"math"
	"time"
)

// Once carries out a command at most once: when it was before, under the same
// id, nothing is done, and Answered shows what came of it then.
type Once struct {
	ID      string   // of the request, unique within its Scope
	Scope   string   // who asks: a project, or empty for the operator
	Digest  string   // of what is asked: the same id must not mean two things
	Names   []string // of the resources that the answer is about
	Command Command
	// Report writes an answer that the resources alone do not give, from the Outcome
	// of the command; nil if they do. It must not do anything else.
	Report func() []byte
}

// How long answers are kept. Both limits hold: what is older goes, and what is
// more goes, the oldest of its scope first: nobody makes others forget.
const (
	AnswerTime = 24 * time.Hour
	MaxAnswers = 100_000 // resources in the answers of one scope
)

// answer is the record answer/SCOPE/ID: what came of a request.
type answer struct {
	Digest    string       `json:"digest"`
	Time      int64        `json:"time"` // Unix time in seconds
	Resources []answerItem `json:"resources,omitempty"`
	Report    []byte       `json:"report,omitempty"` // in place of the resources' values

	key     string
	scope   string
	version Version
}

// answerItem is a resource as it was right after the request.
type answerItem struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value,omitempty"`   // none: it was gone
	Version Version         `json:"version,omitempty"` // 0: that of the answer
}

func (c Once) key() string { return answerPrefix + c.Scope + "/" + c.ID }

func (c Once) plan(s moment) ([]Mutation, error) {
	if held, ok := s.answers.Get(c.key()); ok {
		if held.Digest != c.Digest {
			return nil, invalid(ReasonRequestID, "request_id", "%q was the id of another request; expected a new one", c.ID)
		}
		return nil, nil
	}
	mutations, err := c.Command.plan(s)
	if err != nil {
		return nil, err
	}
	a := answer{Digest: c.Digest, Time: s.now.Unix()}
	if c.Report != nil {
		a.Report = c.Report()
	}
	written := make(map[string]*Mutation, len(mutations))
	for i := range mutations {
		if m := &mutations[i]; m.Op == Put || m.Op == Delete {
			written[m.Key] = m
		}
	}
	for _, name := range c.Names {
		item := answerItem{Name: name}
		if m := written[keyOf(name)]; a.Report != nil {
			// The report says it.
		} else if m == nil {
			item = s.unwritten(name)
		} else {
			item.Value = m.Value // none if it is gone
		}
		a.Resources = append(a.Resources, item)
	}
	return append(append(mutations, put(c.key(), Absent, a)), s.outdated(c.Scope, len(c.Names))...), nil
}

// Reported returns the report of a command that was carried out, if it is still
// there.
func (s *State) Reported(c Once) (report []byte, ok bool) {
	a, ok := s.answers.Get(c.key())
	if !ok {
		return nil, false
	}
	return a.Report, true
}

// unwritten returns a resource that a request left as it was.
func (s *State) unwritten(name string) answerItem {
	held, ok := s.held(name)
	if !ok {
		return answerItem{Name: name}
	}
	return answerItem{Name: name, Value: put("", 0, held.resource).Value, Version: held.version}
}

// outdated removes answers that are too old, and those of a scope that are too
// many once there are some more resources in them.
func (s moment) outdated(scope string, more int) (mutations []Mutation) {
	old := map[string]bool{}
	held, _ := s.answered.Get(scope)
	count := held + more
	drop := func(a *answer) {
		if old[a.key] {
			return
		}
		old[a.key] = true
		mutations = append(mutations, remove(a.key, AnyVersion))
		if a.scope == scope {
			count -= len(a.Resources)
		}
	}
	s.answersByTime.Scan(func(a *answer) bool {
		if s.now.Sub(time.Unix(a.Time, 0)) < AnswerTime {
			return false
		}
		drop(a)
		return true
	})
	s.answersByScope.Ascend(&answer{scope: scope, Time: math.MinInt64}, func(a *answer) bool {
		if a.scope != scope || count <= MaxAnswers {
			return false
		}
		drop(a)
		return true
	})
	return mutations
}

// Answered returns a state for the answer to a command that was carried out: if
// it is a Once, the resources of its answer are as they were right after it.
func (s *State) Answered(c Command) (*State, error) {
	once, ok := c.(Once)
	if !ok {
		return s, nil
	}
	a, ok := s.answers.Get(once.key())
	if !ok {
		return s, nil // it was the last of many
	}
	then := s.Snapshot()
	changes := make([]Change, 0, len(a.Resources))
	for _, item := range a.Resources {
		changes = append(changes, Change{Key: keyOf(item.Name), Value: item.Value, Version: cmp.Or(item.Version, a.version)})
	}
	_, err := then.Apply(s.revision, changes)
	return then, err
}

func (s *State) applyAnswer(c Change) error {
	a, err := decode[answer](c)
	if err != nil {
		return err
	}
	if old := replace(&s.answers, c.Key, a); old != nil {
		s.answersByTime.Delete(old)
		s.answersByScope.Delete(old)
		s.countAnswers(old.scope, -len(old.Resources))
	}
	if a != nil {
		a.key, a.version = c.Key, c.Version
		a.scope, _ = segment(c.Key, answerPrefix)
		s.answersByTime.Set(a)
		s.answersByScope.Set(a)
		s.countAnswers(a.scope, len(a.Resources))
	}
	return nil
}

func (s *State) countAnswers(scope string, more int) {
	held, _ := s.answered.Get(scope)
	if held += more; held == 0 {
		s.answered.Delete(scope)
	} else {
		s.answered.Set(scope, held)
	}
}
