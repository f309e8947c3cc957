package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/version"
)

// beginHistory tells the history that the daemon starts, and how the last run ended: the
// one that was not told to stop crashed.
func (d *daemon) beginHistory() error {
	last, err := d.lastOfDaemon()
	if err != nil {
		return err
	}
	reason := "version " + version.Text()
	switch last {
	case history.Started:
		reason += "; the last run ended without a stop: it crashed, was killed, or the machine went down"
	case history.Stopped:
		reason += "; the last run was stopped"
	}
	d.begun = true
	d.store.Record(history.Event{Time: time.Now(), Kind: history.Started, Author: history.Author{Who: "buoyd"}, Reason: reason})
	return nil
}

// endHistory tells the history that the daemon stops. Whatever is recorded later is not
// the daemon's any more.
func (d *daemon) endHistory() {
	if d.begun {
		d.begun = false
		reason := ""
		if d.withdrawn.Load() {
			reason = "the routes were withdrawn"
		}
		d.store.Record(history.Event{Time: time.Now(), Kind: history.Stopped, Author: history.Author{Who: "buoyd"}, Reason: reason})
	}
}

// lastOfDaemon returns how the history knows the daemon: as started, as stopped, or not
// at all. A stop is among the last events, so nothing but these is looked at.
func (d *daemon) lastOfDaemon() (history.Kind, error) {
	const last = 1000
	first, next, _ := d.store.Kept()
	from := max(next, first+last) - last
	list, err := d.store.Events(from, last)
	if err != nil {
		return history.Unknown, err
	}
	for _, e := range slices.Backward(list) {
		if e.Kind == history.Started || e.Kind == history.Stopped {
			return e.Kind, nil
		}
	}
	if from == first {
		return history.Unknown, nil
	}
	return history.Started, nil // so many events ago
}

// turned tells the history of interfaces.
func (d *daemon) turned(list []computenode.Turn, more int) {
	now := time.Now()
	var events []history.Event
	for _, t := range list {
		e := history.Event{Time: now, Kind: history.Observed, Subject: t.ComputeNode, Part: "interface " + t.Interface,
			Author: history.Author{Who: inventory.ShortName(t.ComputeNode)}, Before: interfaceWords[t.Before], After: interfaceWords[t.After], Reason: t.Reason}
		events = append(events, e)
	}
	if more > 0 {
		events = append(events, history.Event{Time: now, Kind: history.Observed, Subject: list[0].ComputeNode, Count: uint32(more),
			Reason: fmt.Sprintf("and %d more interfaces of this and other compute nodes", more)})
	}
	d.store.Record(events...)
}

var interfaceWords = map[inventory.InterfaceState]string{
	inventory.InterfaceUp: "UP", inventory.InterfaceDown: "DOWN", inventory.InterfaceUnhealthy: "UNHEALTHY",
}
