package config

import (
	"log/slog"
	"net/netip"

	"github.com/buoynet/buoy/internal/neighbor"
)

// Config is the effective configuration of buoyd. Load returns nothing else
// than a valid one.
type Config struct {
	BGP          BGP
	API          API
	ComputeNodes ComputeNodes
	Metrics      Metrics
	Store        Store
	History      History
	Log          Log
	Pools        Pools
	Neighbors    []neighbor.Settings // unique names and addresses, defaults filled in
}

// BGP is what the speaker is.
type BGP struct {
	AS       uint32           // 1..4294967295, not AS_TRANS
	RouterID netip.Addr       // IPv4, unicast, not 0.0.0.0
	Listen   []netip.AddrPort // at least one; port 0 lets the system choose
	Families neighbor.Families
}

// API is where buoyctl connects to.
type API struct {
	Listen []Endpoint // at least one
}

// ComputeNodes is where compute nodes connect to. The files are those of TLS: all of
// them or none; there are all if any of the endpoints can be reached from elsewhere.
type ComputeNodes struct {
	Listen      []Endpoint // may be empty
	Certificate string
	Key         string
	ClientCA    string // who signs the certificates of compute nodes
}

// TLS reports whether TCP connections have to be TLS.
func (c ComputeNodes) TLS() bool { return c.Certificate != "" }

// Metrics is where Prometheus reads how the daemon does.
type Metrics struct {
	Listen []netip.AddrPort // none: nowhere
	// Named says that somebody chose Listen. The default may be left out, when another
	// program has it.
	Named bool
}

// Store is where the resources live.
type Store struct {
	Driver Driver
	Path   string
}

// History is the log of what has happened.
type History struct {
	MaxEvents int // 100..10000000
}

// Log is what is logged, and how.
type Log struct {
	Level  slog.Level
	Format Format
}

// Pools is what floating IPs are drawn from.
type Pools struct {
	Global       string // the resource name of a pool; empty if there is none
	ExternalName string // never empty
}

// Driver is a kind of store.
type Driver string

// Bolt is a file of the daemon's own.
const Bolt Driver = "bolt"

// Format is the form of the log's lines.
type Format string

// The formats.
const (
	Text Format = "text" // key=value
	JSON Format = "json" // one object in each line
)
