package main

import (
	"context"
	"errors"
	"testing"

	"github.com/buoynet/buoy/internal/reconcile"
)

// Positions come back as they were given out; others are told apart from what is
// too old.
func TestChangeLog(t *testing.T) {
	c := changeLog{reconcile.NewChanges()}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, ok, err := c.Since(ended, c.End()); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("the end: got %t, %v, want to wait", ok, err)
	}
	if _, _, ok, err := c.Since(ended, changeLog{reconcile.NewChanges()}.End()); ok || err != nil {
		t.Errorf("another run: got %t, %v, want it to be too old", ok, err)
	}
	if _, _, _, err := c.Since(ended, "yesterday"); err == nil {
		t.Error("malformed: got nil, want an error")
	}
}
