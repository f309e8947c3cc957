package computenode

import (
	"fmt"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// Session is a stream of a compute node, from its beginning to its end. Its methods
// may be called concurrently; after its end they do nothing.
type Session struct {
	nodes   *Nodes
	node    *node // only the one that nodes.sessions has may change it
	address string
	done    chan struct{}

	err error // why it has ended; guarded by nodes.mu
}

// Open begins a session of a compute node; another one that it has ends with
// ErrReplaced. Where the stream is from, and what the agent calls itself, is for
// operators.
func (n *Nodes) Open(name, address, agent string) (*Session, error) {
	if err := checkText("agent_version", agent); err != nil {
		return nil, err
	}
	now := n.lock()
	defer n.unlock()
	if n.frozen {
		return nil, ErrStopping
	}
	n.followLocked(now) // or one that was created just now would be missing
	to, ok := n.core.nodes[name]
	if !ok {
		return nil, fmt.Errorf("compute node %q: %w", name, ErrUnknown)
	}
	n.endLocked(to, fmt.Errorf("%w, from %s", ErrReplaced, address))
	n.core.open(now, to, address, agent)
	s := &Session{nodes: n, node: to, address: address, done: make(chan struct{})}
	n.sessions[to] = s
	return s, nil
}

// endLocked ends the session of a compute node, if there is one.
func (n *Nodes) endLocked(of *node, err error) {
	s, ok := n.sessions[of]
	if !ok {
		return
	}
	delete(n.sessions, of)
	s.err = err
	close(s.done)
}

// Heard says that something has come.
func (s *Session) Heard() {
	now := s.nodes.lock()
	defer s.nodes.unlock()
	if s.nodes.sessions[s.node] == s {
		s.node.heard = now.mono
	}
}

// Report says how interfaces are. With complete, everything is reported: what this
// session has not mentioned is not there. An interface that is reported as unknown is
// forgotten. The error says what is wrong with the report, of which nothing was
// taken, or why the session has ended.
func (s *Session) Report(list []inventory.InterfaceReport, complete bool) error {
	if err := checkReports(list); err != nil {
		return err
	}
	now := s.nodes.lock()
	defer s.nodes.unlock()
	switch {
	case s.nodes.sessions[s.node] != s:
		return s.err
	case s.nodes.frozen:
		return ErrStopping
	}
	if err := s.nodes.core.checkRoom(s.node, list); err != nil {
		return err
	}
	s.nodes.core.report(now, s.node, list, complete)
	return nil
}

// Programmed says that the compute node has programmed what it was told up to a revision
// of the store.
func (s *Session) Programmed(revision uint64) {
	now := s.nodes.lock()
	defer s.nodes.unlock()
	if s.nodes.sessions[s.node] != s {
		return
	}
	s.node.heard, s.node.says = now.mono, true
	if revision > s.node.has {
		s.node.has = revision
		signal(s.nodes.wake)
	}
}

// HoldTime returns how long the stream may be silent. It may change meanwhile.
func (s *Session) HoldTime() time.Duration {
	s.nodes.mu.Lock()
	defer s.nodes.mu.Unlock()
	return s.node.hold()
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session has ended, or nil.
func (s *Session) Err() error {
	s.nodes.mu.Lock()
	defer s.nodes.mu.Unlock()
	return s.err
}

// Close says that the stream has ended by itself, and why.
func (s *Session) Close(reason error) {
	now := s.nodes.lock()
	defer s.nodes.unlock()
	if s.nodes.sessions[s.node] != s {
		return
	}
	text := ErrEnded.Error()
	if reason == nil {
		reason = ErrEnded
	} else {
		text += ": " + clean(reason.Error())
	}
	s.nodes.endLocked(s.node, reason)
	if !s.nodes.frozen {
		s.nodes.core.lose(now, s.node, text)
	}
}

// clean makes a text of others fit for operators.
func clean(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.Map(func(r rune) rune {
		if !printable(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
