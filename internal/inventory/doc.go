// Package inventory holds Buoy's resources and the rules that they obey. It
// performs no I/O and knows no clock.
//
// # Basics
//
// State is the content of the store in memory: networks, pools, bindings,
// compute nodes, neighbors and floating IPs, with the indexes that the rules
// need. Apply
// feeds it what the store reports, and nothing else changes it. Snapshot
// returns a copy in constant time; readers use snapshots and never wait.
//
// A Command is one wish: CreateNetwork, Associate, and so on. Plan turns it
// into the Mutations that fulfil it, or into an *Error that names the field,
// the reason and the resource in the way. Each mutation carries the version
// that the plan was made on, so a plan on an outdated state cannot be
// committed: the caller plans again. A Draft carries out several commands that
// make one commit. Configure makes many resources as they are described.
//
// Uniqueness is kept by keys of its own. They exist for the store's
// compare-and-swap; State derives its indexes from the resources:
//
//	network/NAME  pool/NAME  binding/NAME  node/NAME
//	neighbor/NAME  fip/NAME                             the resources, as JSON
//	global                                              what holds for all
//	netid/ID                                            → network
//	addr/NETWORK ID/ADDRESS                             → floating IP
//	nodeaddr/ADDRESS  routerid/ID                       → compute node
//	neighboraddr/ADDRESS                                → neighbor
//	iface/NODE/INTERFACE                                → label, users
//	label/NODE/LABEL                                    → interface
//	resting/NODE/LABEL                                  → who had it, until when
//	cursor/POOL  cursor/NETWORK                         → where the next free address is looked for
//	answer/SCOPE/REQUEST ID                             → what came of a request
//
// # Caveats
//
// What State returns is shared by all snapshots and must not be changed.
// Resources that are in the way are found in State, so a Plan is as fresh as
// its State; that nothing came in between is what CheckPrefix is for.
package inventory
