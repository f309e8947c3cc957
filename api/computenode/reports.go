package computenode

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// The limits of what a stream may say.
const (
	maxInterfaces = 4096
	maxName       = 64  // bytes
	maxText       = 200 // bytes
	reportSize    = 1000
)

// reports is what interfaces are like: the newest state of each, and what of that the
// stream does not know yet. Whoever reports writes, the stream's sender reads.
type reports struct {
	wake chan struct{} // holds a token when there may be something to send

	mu       sync.Mutex
	newest   map[string]*buoyv1.ComputeInterface
	due      map[string]bool // names that the stream must hear of
	told     map[string]bool // names that the stream has heard of
	gone     map[string]bool // forgotten: earlier streams may have heard of them
	complete bool            // the owner has said so
	said     bool            // this stream has heard that
}

func newReports() *reports {
	r := &reports{wake: make(chan struct{}, 1), newest: map[string]*buoyv1.ComputeInterface{}, gone: map[string]bool{}}
	r.begin()
	return r
}

// report notes states, all or none.
func (r *reports) report(list []*buoyv1.ComputeInterface) error {
	more := map[string]bool{}
	for _, i := range list {
		if err := check(i); err != nil {
			return err
		}
		more[i.GetName()] = i.GetState() != buoyv1.ComputeInterface_STATE_UNSPECIFIED
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	count := len(r.newest)
	for name, stays := range more {
		switch old := r.newest[name]; {
		case stays && old == nil:
			count++
		case !stays && old != nil:
			count--
		}
	}
	if count > maxInterfaces {
		return fmt.Errorf("report: expected at most %d interfaces, got %d; forget those that are gone", maxInterfaces, count)
	}
	for _, i := range list {
		r.note(&buoyv1.ComputeInterface{Name: i.GetName(), State: i.GetState(), Reason: readable(i.GetReason()), Preference: i.GetPreference()})
	}
	r.trim()
	r.signal()
	return nil
}

// note notes one state. The caller holds mu.
func (r *reports) note(i *buoyv1.ComputeInterface) {
	name := i.GetName()
	if i.GetState() == buoyv1.ComputeInterface_STATE_UNSPECIFIED {
		delete(r.newest, name)
		if !r.complete {
			r.gone[name] = true
		}
		r.due[name] = true
		return
	}
	if old := r.newest[name]; old != nil && proto.Equal(old, i) {
		return
	}
	delete(r.gone, name)
	r.newest[name], r.due[name] = i, true
}

// trim keeps what is noted of forgotten ones within what a stream may say. The caller
// holds mu.
func (r *reports) trim() {
	for name := range r.gone {
		if len(r.newest)+len(r.gone) <= maxInterfaces {
			break
		}
		delete(r.gone, name)
	}
	maps.DeleteFunc(r.due, func(name string, _ bool) bool {
		return r.newest[name] == nil && !r.gone[name] && !r.told[name]
	})
}

// finish notes that everything is reported: what nobody has named is not there.
func (r *reports) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complete = true
	clear(r.gone)
	r.trim()
	r.signal()
}

// begin says that a stream has begun, which knows nothing yet.
func (r *reports) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due, r.told, r.said = map[string]bool{}, map[string]bool{}, false
	for name := range r.newest {
		r.due[name] = true
	}
	for name := range r.gone {
		r.due[name] = true
	}
}

// take returns what the stream must hear, in messages that it may be sent. Forgotten ones
// come before new ones and in messages of their own: they make room.
func (r *reports) take() (list []*buoyv1.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var known, unknown, states []*buoyv1.ComputeInterface
	for _, name := range slices.Sorted(maps.Keys(r.due)) {
		switch i := r.newest[name]; {
		case i != nil:
			states = append(states, i)
			r.told[name] = true
		case r.told[name]:
			known = append(known, &buoyv1.ComputeInterface{Name: name})
			delete(r.told, name)
		default:
			unknown = append(unknown, &buoyv1.ComputeInterface{Name: name})
		}
	}
	clear(r.due)
	for _, part := range [][]*buoyv1.ComputeInterface{known, unknown, states} {
		for chunk := range slices.Chunk(part, reportSize) {
			list = append(list, &buoyv1.Report{Interfaces: chunk})
		}
	}
	if r.complete && !r.said {
		r.said = true
		list = append(list, &buoyv1.Report{Complete: true})
	}
	return list
}

func (r *reports) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// check refuses what Buoy would refuse: it would end each stream.
func check(i *buoyv1.ComputeInterface) error {
	name := i.GetName()
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' }) {
		return fmt.Errorf("report: expected the name of an interface, 1..%d printable characters without blanks and slashes, got %q", maxName, name)
	}
	if _, ok := buoyv1.ComputeInterface_State_name[int32(i.GetState())]; !ok {
		return fmt.Errorf("report %s: the enumeration has no state %d", name, i.GetState())
	}
	if _, ok := buoyv1.ComputeInterface_Preference_name[int32(i.GetPreference())]; !ok {
		return fmt.Errorf("report %s: the enumeration has no preference %d", name, i.GetPreference())
	}
	return nil
}

// readable makes a text one that Buoy takes: often it is an error's, of any length.
func readable(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
