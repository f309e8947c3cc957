package inventory

import "time"

// Living is a snapshot of which compute nodes and interfaces live. Its methods
// may be called concurrently.
type Living interface {
	// Node returns how the stream of a compute node is; the zero value for one
	// that never had any.
	Node(name string) NodeLife
	// Interface returns how an interface of a compute node is, as the node has
	// reported it; the zero value when it has not.
	Interface(node, name string) InterfaceLife
}

// NodeState is how the stream of a compute node is.
type NodeState uint8

// The states.
const (
	NodeDown  NodeState = iota // there is none
	NodeStale                  // it was lost; its routes are kept until NodeLife.Until
	NodeUp                     // it is there
)

// NodeLife is what is known of the stream of a compute node.
type NodeLife struct {
	State   NodeState
	Since   time.Time // zero when there never was a stream
	Until   time.Time // of NodeStale: when the routes are withdrawn
	Reason  string    // why there is no stream: for operators
	Address string    // where the stream comes from
	Agent   string    // what the agent calls itself
}

// InterfaceState is how a workload's interface is.
type InterfaceState uint8

// The states.
const (
	InterfaceUnknown   InterfaceState = iota // the compute node has not reported it
	InterfaceUp                              // packets can be delivered
	InterfaceDown                            // it is not there, or its link is down
	InterfaceUnhealthy                       // its link is up, and the workload does not answer
)

// Preference is what a compute node makes of the preference of associations.
type Preference uint8

// The preferences.
const (
	AsAssociated Preference = iota
	Preferred
	Backup
)

// InterfaceReport is what a compute node says of an interface.
type InterfaceReport struct {
	Name       string
	State      InterfaceState
	Reason     string // for operators, at most 200 bytes
	Preference Preference
}

// InterfaceLife is what is known of an interface.
type InterfaceLife struct {
	InterfaceReport
	Since       time.Time // when the state began
	DampedUntil time.Time // it has flapped, and counts as down until then; zero when it has not
	Flaps       int       // how often it went down lately
}

// Place is an interface of a compute node, or all of them when Interface is empty.
type Place struct {
	ComputeNode, Interface string
}

func (a *Association) place() Place { return Place{a.ComputeNode, a.Interface} }
