package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// events adds get events to the verbs. Events are not made, and do not go, by command.
func (a *app) events(verbs map[string]*cobra.Command) {
	req, watch := &buoyv1.ListEventsRequest{}, false
	cmd := &cobra.Command{
		Use: "events", Aliases: []string{"event"},
		Short: "Show what has happened: what changed, when, who did it",
		Long: `Show what has happened, the newest last: changes of resources with who made them, and
what was observed of neighbors, compute nodes and floating IPs.

--for takes a name of whatever kind, in whatever project, or an address. To a floating
IP belong its associations; to a compute node those with it, too. WHO is a user and a
process of the machine of buoyd, an address, a part of buoyd, or a compute node.

With -w it goes on until Ctrl-C. With -o json each line is one event then.`,
		Example: "  buoyctl get events --since 1h\n  buoyctl get events --for web-1 -o wide\n  buoyctl get events --for 203.0.113.5\n" +
			"  buoyctl get events --for mx1 --since 2026-03-01T03:00:00Z\n  buoyctl get events -w",
		Args: takes(0, 0),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error {
		if watch {
			return a.watchEvents(ctx, c, &buoyv1.WatchEventsRequest{For: req.For, Since: req.Since})
		}
		list, err := buoy.EveryPage(func(token string) ([]*buoyv1.Event, string, error) {
			req.PageToken = token
			resp, err := c.Events.ListEvents(ctx, req)
			return resp.GetEvents(), resp.GetNextPageToken(), err
		})
		if err != nil {
			return err
		}
		return printAll(a, list, nameOfEvent, eventColumns)
	})
	flags := cmd.Flags()
	flags.StringVar(&req.For, "for", "", "only those of a resource, by name or address")
	flags.StringVar(&req.Since, "since", "", "only those since a time, like 2026-03-01T03:00:00Z, or since so long ago, like 15m")
	flags.BoolVarP(&watch, "watch", "w", false, watchUsage)
	a.outputFlag(cmd)
	verbs["get"].AddCommand(cmd)
}

func nameOfEvent(e *buoyv1.Event) string { return fmt.Sprint(e.Sequence) }

var eventColumns = []column[*buoyv1.Event]{
	{"SEQUENCE", true, nameOfEvent},
	{"TIME", false, func(e *buoyv1.Event) string {
		t, err := time.Parse(time.RFC3339Nano, e.Time)
		if err != nil {
			return e.Time
		}
		return t.UTC().Format("2006-01-02 15:04:05")
	}},
	{"SUBJECT", false, eventSubject},
	{"WHAT", false, eventWhat},
	{"WHO", false, (*buoyv1.Event).GetWho},
	{projectTitle, true, (*buoyv1.Event).GetProject},
	{"USER-AGENT", true, (*buoyv1.Event).GetUserAgent},
	{"CHANGE", false, eventChange},
}

// maxShown is how many names of a group stand in a table.
const maxShown = 3

func eventSubject(e *buoyv1.Event) string {
	switch {
	case len(e.Names) > 0:
		var short []string
		for _, name := range e.Names[:min(len(e.Names), maxShown)] {
			short = append(short, shortEvent(name))
		}
		text := strings.Join(short, ", ")
		if more := int(e.Count) - len(short); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		return text
	case e.Subject == "":
		return "buoyd"
	case e.Part != "":
		return shortEvent(e.Subject) + " " + e.Part
	}
	return shortEvent(e.Subject)
}

// shortEvent is a name with its kind, as the commands call it: floatingip/web-1.
func shortEvent(name string) string {
	parts := strings.Split(name, "/")
	if last := parts[len(parts)-1]; len(parts) < 2 || last == "poolBinding" || parts[0] == "global" {
		return name
	}
	kind := strings.ToLower(strings.TrimSuffix(parts[len(parts)-2], "s"))
	return kind + "/" + parts[len(parts)-1]
}

func eventWhat(e *buoyv1.Event) string {
	if e.Kind == buoyv1.Event_OBSERVED {
		return "observed"
	}
	if e.Method == "" {
		return word(e.Kind)
	}
	_, method, _ := strings.Cut(e.Method, ".")
	return word(e.Kind) + " (" + method + ")"
}

// eventChange says what was before and what is after.
func eventChange(e *buoyv1.Event) string {
	var parts []string
	for _, c := range e.Changes {
		name := c.Field + ": "
		if e.Kind == buoyv1.Event_OBSERVED || c.Field == "" {
			name = ""
		}
		switch {
		case e.Kind == buoyv1.Event_CREATED, c.Before == c.After: // the same for another reason
			parts = append(parts, name+c.After)
		case e.Kind == buoyv1.Event_DELETED:
			parts = append(parts, name+c.Before)
		default:
			parts = append(parts, name+orDash(c.Before)+" → "+orDash(c.After))
		}
	}
	text := strings.Join(parts, ", ")
	switch {
	case e.Kind == buoyv1.Event_MISSING && e.Count > 0:
		return fmt.Sprintf("%d events: %s", e.Count, e.Reason)
	case e.Reason != "" && text != "":
		return text + " (" + e.Reason + ")"
	case e.Reason != "":
		return e.Reason
	}
	return text
}

// eventWatch is a get events with --watch.
type eventWatch struct {
	*app
	req   *buoyv1.WatchEventsRequest
	print *resourcePrinter[*buoyv1.Event]
	link  link
	begun bool
}

func (a *app) watchEvents(ctx context.Context, c *client, req *buoyv1.WatchEventsRequest) error {
	w := &eventWatch{app: a, req: req, print: &resourcePrinter[*buoyv1.Event]{a: a, columns: eventColumns, nameOf: nameOfEvent}}
	return a.keep(ctx, &w.link, func() error { return w.follow(ctx, c) }, func() { w.req.ResumeToken = "" })
}

// follow prints what a stream sends until it ends.
func (w *eventWatch) follow(ctx context.Context, c *client) error {
	stream, err := c.Events.WatchEvents(ctx, w.req)
	if err != nil {
		return err
	}
	var list []event[*buoyv1.Event]
	for {
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		w.link = link{heard: true}
		switch e := resp.Event.(type) {
		case *buoyv1.WatchEventsResponse_Happened:
			list = append(list, event[*buoyv1.Event]{name: nameOfEvent(e.Happened), resource: e.Happened})
		case *buoyv1.WatchEventsResponse_Lost:
			fmt.Fprintf(w.stderr, "%d events are lost: there is no more room for them\n", e.Lost)
		case *buoyv1.WatchEventsResponse_Bookmark:
			if err := w.print.events(!w.begun, list); err != nil {
				return err
			}
			w.req.ResumeToken, w.begun, list = e.Bookmark.ResumeToken, true, nil
			w.req.Since = "" // a duration would be another time then
		}
	}
}
