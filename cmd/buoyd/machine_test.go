package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// What a daemon says of its machine is what is there: files that change are looked at again.
func TestMachine(t *testing.T) {
	h := newHome(t)
	flags := pflag.NewFlagSet("buoyd", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse([]string{"--config", h.config(t, 64512)}); err != nil {
		t.Fatal(err)
	}
	reload := func() (config.Config, error) { return load(flags, nil) }
	cfg, err := reload()
	if err != nil {
		t.Fatal(err)
	}
	path := cfg.Store.Path
	before := time.Now().Add(time.Hour)
	if err := os.WriteFile(path+".last-run", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path+".last-run", before, before); err != nil {
		t.Fatal(err)
	}
	d, err := open(t.Context(), cfg, startup{reload: reload}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	keepRunning(t, d)

	m := d.look()
	if !m.LastRun.After(m.Now) || m.Now.Sub(m.Started) < 0 || m.Running <= 0 || (m.Now.Sub(m.Started)-m.Running).Abs() > time.Minute {
		t.Errorf("clock: got %v, started %v, running %v, last run %v", m.Now, m.Started, m.Running, m.LastRun)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if k := m.Disk; k.Path != path || k.Size != uint64(info.Size()) || k.Total == 0 || k.Free > k.Total || k.Sealed || k.Problem != "" || k.Failure != nil {
		t.Errorf("disk: got %+v", k)
	}
	if len(m.Listen) != 1 || m.Listen[0].Port() == 0 || len(m.Problems) > 0 || m.Configuration.Problem != "" || m.Configuration.AS != 64512 || len(m.Configuration.Changes) > 0 {
		t.Errorf("got %+v", m)
	}

	key := filepath.Join(h.dir, "key")
	if err := os.WriteFile(key, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must(t, inventory.CreateNeighbor{Settings: neighbor.Settings{Name: "mx2", Address: cfg.Neighbors[0].Address.Next(), AS: 64512, Port: 1, Passive: true,
		Families: neighbor.AllFamilies, MD5Key: neighbor.KeySource{File: key}}})
	if m := d.look(); len(m.Keys) > 0 {
		t.Errorf("keys: got %v", m.Keys)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := d.look().Keys["mx2"]; err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("keys: got %v", err)
	}

	h.config(t, 64513)
	if c := d.look().Configuration; c.AS != 64513 || !slices.Equal(c.Changes, []string{"bgp.as: 64512 → 64513"}) {
		t.Errorf("configuration: got %+v", c)
	}
	h.write(t, "nosuch: 1\n")
	if c := d.look().Configuration; !strings.Contains(c.Problem, "unknown key nosuch") || c.AS != 0 {
		t.Errorf("configuration: got %+v", c)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if k := d.look().Disk; !strings.Contains(k.Problem, "no such file") {
		t.Errorf("disk: got %+v", k)
	}
}

// The kernel is asked without the right to set the clock, and answers.
func TestKernelClock(t *testing.T) {
	if kernelClock() == doctor.SyncUnknown {
		t.Error("the kernel does not say whether the clock is synchronised")
	}
}
