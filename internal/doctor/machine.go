package doctor

import (
	"fmt"
	"time"
)

// jumped is by how much the clock must have been set, to be worth a word.
const jumped = 10 * time.Second

// clock looks at the clock on the wall.
func (e *exam) clock() {
	e.texts[Clock] = [...]string{"what the kernel says of it is not known", "the kernel says that it is synchronised", "the kernel says that it is not synchronised"}[e.Kernel]
	if e.Kernel == Unsynchronised {
		e.found(Finding{ID: "clock_unsynchronised", Area: Clock, Severity: Info, Subject: Daemon,
			Cause: "the kernel says that the clock is not synchronised: times in logs and answers may be wrong", Remedy: "run chrony, or another NTP client"})
	}
	if e.Now.Before(e.LastRun) {
		e.found(Finding{ID: "clock_before_last_run", Area: Clock, Severity: Warning, Subject: Daemon,
			Cause:  fmt.Sprintf("the clock says %s, which is before the last run ended, at %s", when(e.Now), when(e.LastRun)),
			Remedy: "set the clock; a start that looks earlier than the last run is no restart, and gateways drop routes until they are sent again"})
	}
	if off := e.Now.Sub(e.Started) - e.Running; !e.Started.IsZero() && off.Abs() >= jumped {
		e.found(Finding{ID: "clock_jumped", Area: Clock, Severity: Info, Subject: Daemon,
			Cause:  fmt.Sprintf("the clock was set by %s since the daemon was started: times of what was before are off by that", off.Round(time.Second)),
			Remedy: "nothing, if it is right now; labels that rested may have been given out too early, or rest longer"})
	}
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

const (
	mib = 1 << 20
	// The store's file grows by so much at a time.
	growth = 16 * mib
	// Of a file system with less than both left there is not much left.
	little = 1024 * mib
	part   = 10 // one of so many parts
)

// disk looks at the store.
func (e *exam) disk() {
	d := e.Disk
	name := d.Path
	e.texts[Store] = fmt.Sprintf("%s has %s; %s are free", name, size(d.Size), size(d.Free))
	if d.Failure != nil {
		e.found(Finding{ID: "store_failing", Area: Store, Severity: Error, Subject: Daemon, Since: d.Failing,
			Cause: fmt.Sprintf("the last change could not be written to %s: %v", name, d.Failure), Remedy: "look at the disk; nothing can be changed until it takes writes again"})
	}
	switch {
	case d.Path == "":
		e.texts[Store] = "what it is on is not known"
	case d.Problem != "":
		e.texts[Store] = name + " cannot be looked at"
		e.found(Finding{ID: "store_missing", Area: Store, Severity: Error, Subject: Daemon,
			Cause:  fmt.Sprintf("the store cannot be looked at, and a start would not find it: %s", d.Problem),
			Remedy: "buoyctl export -o yaml writes down what the daemon still knows; then put the file back"})
	case d.Sealed:
		e.found(Finding{ID: "store_read_only", Area: Store, Severity: Error, Subject: Daemon,
			Cause: "the file system of " + name + " is read-only: nothing can be changed", Remedy: "look at the kernel's log, and mount it for writing"})
	case d.Total > 0 && d.Free < growth:
		e.found(Finding{ID: "store_full", Area: Store, Severity: Error, Subject: Daemon,
			Cause: fmt.Sprintf("the file system of %s is full: %s are free, and the file grows by %s", name, size(d.Free), size(growth)), Remedy: "make room there"})
	case d.Total > 0 && d.Free < little && d.Free < d.Total/part:
		e.found(Finding{ID: "store_nearly_full", Area: Store, Severity: Warning, Subject: Daemon,
			Cause: fmt.Sprintf("the file system of %s is nearly full: %s of %s are free", name, size(d.Free), size(d.Total)), Remedy: "make room there"})
	}
}

// size writes a number of bytes.
func size(n uint64) string {
	switch {
	case n >= 10*1024*mib:
		return fmt.Sprintf("%d GiB", n/1024/mib)
	case n >= mib:
		return fmt.Sprintf("%d MiB", n/mib)
	default:
		return fmt.Sprintf("%d KiB", n/1024)
	}
}
