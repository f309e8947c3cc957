package doctor

import "time"

// Examination is what was looked at, and what was found.
type Examination struct {
	Healthy  bool      // nothing is worse than Info
	Summary  string    // one sentence
	Findings []Finding // the worst first, then by subject
	Examined []Examined
}

// Finding is something to know, or to do something about.
type Finding struct {
	ID       string // a word that stays the same
	Area     Area
	Severity Severity
	Subject  string    // the name of a resource, Daemon, or a pattern for many: computeNodes/*
	Cause    string    // one sentence
	Remedy   string    // a command, or what to do
	Since    time.Time // zero if it is not known
	Count    uint64    // of resources or routes, at least 1
	Examples []string  // the names of a few, if the subject is not the only one
}

// Daemon is the subject of what is about no resource.
const Daemon = "buoyd"

// Examined is an area that was looked at.
type Examined struct {
	Area     Area
	Severity Severity // the worst of its findings
	Text     string   // what was looked at, with numbers
}

// Severity says how bad it is.
type Severity uint8

// The severities, the worst last.
const (
	Fine    Severity = iota // only of areas: there is nothing to say
	Info                    // worth knowing, and well
	Warning                 // something is partly unreachable, or soon will be
	Error                   // something is unreachable, or will be lost
)

// Area is a part of what is looked at. Its text is stable.
type Area uint8

// The areas, in the order in which they are shown.
const (
	Configuration Area = iota
	Clock
	Ports
	Store
	Sessions
	Targets
	Pools
	ComputeNodes
	FloatingIPs
	Routes

	areas = iota
)

func (a Area) String() string {
	return [...]string{"configuration", "clock", "ports", "store", "sessions", "targets", "pools", "compute_nodes", "floating_ips", "routes"}[a]
}
