package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Each task has ended before the one that was started before it is told to.
func TestTasksStopInReverse(t *testing.T) {
	var events []string // each task writes only while no other does
	ts := newTasks(t.Context(), silent())
	for _, name := range []string{"store", "speaker", "api"} {
		ts.add(name, func(ctx context.Context) error {
			<-ctx.Done()
			events = append(events, name+" told", name+" ended")
			return nil
		})
	}
	if err := ts.stop(); err != nil {
		t.Errorf("stop: got %v, want nil", err)
	}
	want := []string{"api told", "api ended", "speaker told", "speaker ended", "store told", "store ended"}
	if !slices.Equal(events, want) {
		t.Errorf("events:\n got %q\nwant %q", events, want)
	}
	if err := ts.stop(); err != nil {
		t.Errorf("second stop: got %v, want nil", err)
	}
}

// The end of the program's context does not end the tasks: stop does, in
// order.
func TestTasksOutliveContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ts := newTasks(ctx, silent())
	told := make(chan struct{})
	ts.add("api", func(ctx context.Context) error {
		<-ctx.Done()
		close(told)
		return nil
	})
	cancel()
	select {
	case <-told:
		t.Error("the task was told to end with the program's context, want at stop")
	default:
	}
	if err := ts.stop(); err != nil {
		t.Errorf("stop: got %v, want nil", err)
	}
}

func TestTasksFail(t *testing.T) {
	errDisk := errors.New("disk full")
	untilStop := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for _, tt := range []struct {
		name   string
		tasks  []func(context.Context) error
		failed bool // before stop
		want   string
	}{
		{"none", []func(context.Context) error{untilStop, untilStop}, false, ""},
		{"an error", []func(context.Context) error{untilStop, func(context.Context) error { return errDisk }}, true, "task 1: disk full"},
		{"an end without an error", []func(context.Context) error{func(context.Context) error { return nil }, untilStop}, true, "task 0: ended by itself"},
		{"an error at the end", []func(context.Context) error{func(ctx context.Context) error { <-ctx.Done(); return errDisk }}, false, "task 0: disk full"},
		{"one and then another", []func(context.Context) error{
			func(ctx context.Context) error { <-ctx.Done(); return errDisk },
			func(context.Context) error { return errors.New("port lost") },
		}, true, "task 1: port lost\ntask 0: disk full"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ts := newTasks(t.Context(), silent())
			for i, run := range tt.tasks {
				ts.add("task "+string(rune('0'+i)), run)
			}
			if tt.failed {
				<-ts.failed
			} else {
				select {
				case <-ts.failed:
					t.Error("failed is closed before stop, want open")
				default:
				}
			}
			err := ts.stop()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("stop: got %v, want %q", err, tt.want)
			}
		})
	}
}
