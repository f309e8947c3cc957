package doctor

import (
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
)

// Snapshot is what an examination is made from.
type Snapshot struct {
	explain.Snapshot
	Machine
	// Judge says how a floating IP that has associations is shown, and whether some of
	// its associations have no route.
	Judge func(f *inventory.FloatingIP) (state State, partly bool)
}

// State is how a floating IP is shown.
type State uint8

// The states of those that have associations.
const (
	Advertised State = iota
	Pending
	Withheld
)

// Machine is what the daemon sees of itself and of where it runs.
type Machine struct {
	Now     time.Time     // by the clock on the wall
	Started time.Time     // likewise: when the daemon was
	Running time.Duration // since then, by a clock that nobody sets
	LastRun time.Time     // when an earlier run ended, as its file said at the start; zero if there was none
	Kernel  Sync          // what the kernel says of the clock

	Configuration Configured
	Listen        []netip.AddrPort // where neighbors connect to
	NodeSockets   []string         // where compute nodes connect to
	Certificates  []Certificate    // of NodeSockets
	Keys          map[string]error // by the short names of neighbors: their MD5 keys cannot be read
	Disk          Disk
	Problems      []string // what the speaker has refused, apart from routes
}

// Sync is what the kernel says of the clock.
type Sync uint8

// The answers.
const (
	SyncUnknown Sync = iota
	Synchronised
	Unsynchronised
)

// Configured compares what runs with what a start would run now.
type Configured struct {
	Problem string   // why there would be no start; empty if there would be one
	Changes []string // what would be different: "key: old → new"
	AS      uint32   // the AS that a start would have; 0 if that is not known
}

// Certificate is one that ends some day.
type Certificate struct {
	Name     string // of its file
	NotAfter time.Time
}

// Disk is where the store is.
type Disk struct {
	Path    string
	Size    uint64 // of the store's file, in bytes
	Free    uint64 // for the daemon on its file system, in bytes
	Total   uint64 // of the file system, in bytes; 0 if it is not known
	Sealed  bool   // the file system is read-only
	Problem string // why it cannot be looked at; empty if it can
	// Failure is why the last commit was not written; nil if it was, or refused on its
	// merits. Failing is when that was.
	Failure error
	Failing time.Time
}
