package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// History is the log of what has happened; see store.History.
type History interface {
	Record(events ...history.Event)
	Kept() (first, next uint64, changed <-chan struct{})
	Events(from uint64, most int) ([]history.Event, error)
}

type eventService struct {
	buoyv1.UnimplementedEventsServer
	view
}

// eventChunk is how many events are read at once: a commit that makes the store's file
// grow waits for a read.
const eventChunk = 1000

// wantedEvents are those that a request is for.
type wantedEvents struct {
	viewer  viewer
	matcher *history.Matcher // nil: all
	since   time.Time
}

func (s *eventService) wanted(ctx context.Context, f *fields, text, since string) wantedEvents {
	w := wantedEvents{viewer: viewerOf(ctx), since: f.since("since", since)}
	if text != "" {
		w.matcher = history.NewMatcher(text, meant(s.Inventory.State(), text))
	}
	return w
}

// meant returns the floating IPs that a short name or an address stands for now.
func meant(state *inventory.State, text string) (names []string) {
	for f := range state.FloatingIPs("") {
		if inventory.ShortName(f.Name) == text || f.Address.String() == text {
			names = append(names, f.Name)
		}
	}
	return names
}

// since reads a time, or how long ago it is.
func (f *fields) since(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		f.fail(field, fmt.Errorf("expected a time like 2026-03-01T03:00:00Z, or a duration like 90s, 15m or 12h, got %q", text))
	}
	return time.Now().Add(-ago)
}

// takes returns an event as the viewer may see it, and whether it is wanted.
func (w *wantedEvents) takes(e history.Event) (history.Event, bool) {
	if e.Time.Before(w.since) {
		return e, false
	}
	e, ok := w.viewer.event(e)
	return e, ok && (w.matcher == nil || w.matcher.Matches(&e))
}

// event leaves out what the viewer must not see of an event. It reports false if that is
// all of it.
func (v viewer) event(e history.Event) (history.Event, bool) {
	if v == "" {
		return e, true
	}
	own := func(name string) bool { return inventory.ProjectOf(name) == string(v) }
	switch {
	case e.Kind == history.Missing:
		e = history.Event{Sequence: e.Sequence, Time: e.Time, Kind: e.Kind}
	case e.Group():
		if !slices.ContainsFunc(e.Names, own) || e.Partial() && slices.ContainsFunc(e.Names, func(n string) bool { return !own(n) }) {
			return e, false
		}
		if !e.Partial() {
			e.Names = slices.DeleteFunc(slices.Clone(e.Names), func(n string) bool { return !own(n) })
			e.Count = uint32(len(e.Names))
		}
	case e.Subject == "" || own(e.Subject):
	default:
		switch inventory.KindOf(e.Subject) {
		case inventory.KindGlobal, inventory.KindComputeNode, inventory.KindNeighbor:
		default:
			return e, false
		}
	}
	if e.Project != string(v) {
		e.Author = history.Author{Method: e.Method}
	}
	return e, true
}

func (s *eventService) ListEvents(ctx context.Context, req *buoyv1.ListEventsRequest) (*buoyv1.ListEventsResponse, error) {
	var f fields
	wanted := s.wanted(ctx, &f, req.GetFor(), req.GetSince())
	size, from := f.pageSize(req.GetPageSize()), uint64(0)
	if token := req.GetPageToken(); token != "" {
		text, ok := readToken(token)
		var err error
		if from, err = strconv.ParseUint(text, 10, 64); !ok || err != nil {
			f.fail("page_token", errToken)
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	resp := &buoyv1.ListEventsResponse{}
	for {
		list, err := s.History.Events(from, eventChunk)
		if err != nil {
			return nil, err
		}
		for i := range list {
			e, ok := wanted.takes(list[i])
			if !ok {
				continue
			}
			if len(resp.Events) == size {
				resp.NextPageToken = writeToken(strconv.FormatUint(e.Sequence, 10))
				return resp, nil
			}
			resp.Events = append(resp.Events, s.eventToProto(wanted.viewer, &e))
		}
		if len(list) < eventChunk || ctx.Err() != nil {
			return resp, ctx.Err()
		}
		from = list[len(list)-1].Sequence + 1
	}
}

func (s *eventService) WatchEvents(req *buoyv1.WatchEventsRequest, stream grpc.ServerStreamingServer[buoyv1.WatchEventsResponse]) error {
	var f fields
	wanted := s.wanted(stream.Context(), &f, req.GetFor(), req.GetSince())
	from, _, _ := s.History.Kept()
	if token := req.GetResumeToken(); token != "" {
		var err error
		if from, err = strconv.ParseUint(token, 10, 64); err != nil {
			f.fail("resume_token", errors.New("expected the resume_token of a bookmark"))
		}
	}
	if f.err != nil {
		return f.err
	}
	if _, next, _ := s.History.Kept(); from > next {
		return errTooOld // the log is another one
	}
	w := &eventWatcher{eventService: s, wanted: wanted, stream: stream, from: from, due: true}
	return w.follow(stream.Context())
}

// eventWatcher sends events to one client. It keeps where the client is.
type eventWatcher struct {
	*eventService
	wanted wantedEvents
	stream grpc.ServerStreamingServer[buoyv1.WatchEventsResponse]
	from   uint64 // the next event to be sent
	due    bool   // a bookmark is
}

func (w *eventWatcher) follow(ctx context.Context) error {
	marked := time.Time{}
	for {
		first, next, changed := w.History.Kept()
		if w.from < first {
			if err := w.stream.Send(&buoyv1.WatchEventsResponse{Event: &buoyv1.WatchEventsResponse_Lost{Lost: first - w.from}}); err != nil {
				return err
			}
			w.from, w.due = first, true
		}
		if w.from < next {
			if err := w.send(); err != nil {
				return err
			}
			if w.from < next {
				continue
			}
		}
		if w.due || time.Since(marked) > bookmarkTime {
			mark := &buoyv1.Bookmark{ResumeToken: strconv.FormatUint(w.from, 10)}
			if err := w.stream.Send(&buoyv1.WatchEventsResponse{Event: &buoyv1.WatchEventsResponse_Bookmark{Bookmark: mark}}); err != nil {
				return err
			}
			w.due, marked = false, time.Now()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send sends the next events, if they are wanted. Those that went in the meantime are
// left for Kept to tell.
func (w *eventWatcher) send() error {
	list, err := w.History.Events(w.from, eventChunk)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Sequence != w.from {
			return nil
		}
		if e, ok := w.wanted.takes(list[i]); ok {
			if err := w.stream.Send(&buoyv1.WatchEventsResponse{Event: &buoyv1.WatchEventsResponse_Happened{Happened: w.eventToProto(w.wanted.viewer, &e)}}); err != nil {
				return err
			}
			w.due = true
		}
		w.from++
	}
	return nil
}

func (v view) eventToProto(to viewer, e *history.Event) *buoyv1.Event {
	return &buoyv1.Event{
		Sequence:  e.Sequence,
		Time:      e.Time.UTC().Format(time.RFC3339Nano),
		Kind:      eventKinds[e.Kind],
		Subject:   e.Subject,
		Part:      e.Part,
		Names:     e.Names,
		Count:     e.Count,
		Method:    e.Method,
		Who:       e.Who,
		UserAgent: e.Agent,
		Project:   e.Project,
		Changes:   v.fieldChanges(to, e),
		Reason:    e.Reason,
	}
}

var eventKinds = map[history.Kind]buoyv1.Event_Kind{
	history.Created:  buoyv1.Event_CREATED,
	history.Changed:  buoyv1.Event_CHANGED,
	history.Deleted:  buoyv1.Event_DELETED,
	history.Observed: buoyv1.Event_OBSERVED,
	history.Started:  buoyv1.Event_STARTED,
	history.Stopped:  buoyv1.Event_STOPPED,
	history.Missing:  buoyv1.Event_MISSING,
}
