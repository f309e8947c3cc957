package main

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/bgp"
	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/doctor"
)

// machine is what an examination needs to know of where the daemon runs. It never changes.
type machine struct {
	started time.Time                     // with the reading of a clock that nobody sets
	lastRun time.Time                     // as it was at the start
	reload  func() (config.Config, error) // reads the configuration again; nil if it cannot be
	kernel  func() doctor.Sync
	tls     *api.NodeTLS              // nil without
	failure func() (time.Time, error) // why the last commit was not written
}

// kernelClock asks the kernel whether something keeps its clock right.
func kernelClock() doctor.Sync {
	var t unix.Timex // it asks for nothing to be changed
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return doctor.SyncUnknown
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return doctor.Unsynchronised
	default:
		return doctor.Synchronised
	}
}

// look looks at the machine.
func (d *daemon) look() doctor.Machine {
	now := time.Now()
	m := doctor.Machine{
		Now: now.Round(0), Started: d.machine.started.Round(0), Running: now.Sub(d.machine.started),
		LastRun: d.machine.lastRun, Kernel: d.machine.kernel(),
		Configuration: d.reread(), Listen: d.speaker.Addrs(), Keys: map[string]error{},
		Disk: d.disk(), Problems: d.loop.Problems(),
	}
	for _, e := range d.cfg.ComputeNodes.Listen {
		m.NodeSockets = append(m.NodeSockets, e.String())
	}
	if d.machine.tls != nil {
		names, ends := d.machine.tls.Expiry()
		for i, name := range names {
			m.Certificates = append(m.Certificates, doctor.Certificate{Name: name, NotAfter: ends[i]})
		}
	}
	for n := range d.follower.State().Neighbors() {
		if err := bgp.CheckKey(n.MD5Key); err != nil {
			m.Keys[n.Name] = err
		}
	}
	return m
}

// reread compares what a start would run with what runs.
func (d *daemon) reread() (c doctor.Configured) {
	if d.machine.reload == nil {
		return c
	}
	next, err := d.machine.reload()
	if err != nil {
		c.Problem = err.Error()
		return c
	}
	c.Changes, c.AS = d.cfg.Differences(next), next.BGP.AS
	return c
}

// disk looks at the store's file, and at the file system that it is on.
func (d *daemon) disk() doctor.Disk {
	k := doctor.Disk{Path: d.cfg.Store.Path}
	k.Failing, k.Failure = d.machine.failure()
	info, err := os.Stat(k.Path)
	if err != nil {
		k.Problem = err.Error()
		return k
	}
	k.Size = uint64(info.Size())
	var fs syscall.Statfs_t
	if err := syscall.Statfs(k.Path, &fs); err != nil {
		k.Problem = err.Error()
		return k
	}
	unit := uint64(fs.Bsize)
	k.Free, k.Total = fs.Bavail*unit, fs.Blocks*unit
	k.Sealed = fs.Flags&unix.ST_RDONLY != 0 || sealed(info.Sys().(*syscall.Stat_t).Dev)
	return k
}
