package metrics

import "github.com/prometheus/client_golang/prometheus"

// The names of all metrics of Buoy itself.
const (
	BuildInfo = "buoy_build_info"

	NeighborEstablished  = "buoy_neighbor_established"
	NeighborState        = "buoy_neighbor_state"
	NeighborSince        = "buoy_neighbor_since_timestamp_seconds"
	NeighborStateChanges = "buoy_neighbor_state_changes_total"
	NeighborSessions     = "buoy_neighbor_sessions_total"
	NeighborFlaps        = "buoy_neighbor_flaps_total"
	NeighborMessages     = "buoy_neighbor_messages_total"
	NeighborBytes        = "buoy_neighbor_bytes_total"
	NeighborMalformed    = "buoy_neighbor_malformed_messages_total"
	NeighborRoutes       = "buoy_neighbor_routes"
	NeighborStaleRoutes  = "buoy_neighbor_stale_routes"
	NeighborExcessRoutes = "buoy_neighbor_excess_routes"
	NeighborFiltered     = "buoy_neighbor_filtered_total"
	NeighborCapped       = "buoy_neighbor_max_advertised_reached"
	NeighborQueueRoutes  = "buoy_neighbor_queue_routes"
	NeighborQueueBytes   = "buoy_neighbor_queue_bytes"
	RefusedConnections   = "buoy_refused_connections_total"

	Routes        = "buoy_routes"
	RefusedRoutes = "buoy_refused_routes"
	NetworkRoutes = "buoy_network_routes"

	FloatingIPsInState  = "buoy_floatingips"
	FloatingIPsCounted  = "buoy_floatingips_counted_timestamp_seconds"
	PoolAddresses       = "buoy_pool_addresses"
	PoolUsedAddresses   = "buoy_pool_used_addresses"
	ComputeNodes        = "buoy_computenodes"
	ComputeNodeState    = "buoy_computenode_state"
	ComputeNodeDraining = "buoy_computenode_draining"
	ComputeNodeIPs      = "buoy_computenode_floatingips"

	StoreRevision      = "buoy_store_revision"
	ReconciledRevision = "buoy_reconciled_revision"
	StoreSize          = "buoy_store_size_bytes"
	StoreCommit        = "buoy_store_commit_seconds"
	StoreCommits       = "buoy_store_commits_total"
	CommitToWire       = "buoy_commit_to_wire_seconds"
)

// The labels. Networks and pools have resource names, neighbors and compute nodes the
// short ones. No metric has a floating IP for a label.
const (
	byNeighbor    = "neighbor"
	byNetwork     = "network"
	byPool        = "pool"
	byComputeNode = "computenode"
	byDirection   = "direction"
	byState       = "state"
	byType        = "type"
	byOutcome     = "outcome"
	byVersion     = "version"
	byGoVersion   = "goversion"
)

// kind is what a metric's value means.
type kind string

const (
	gauge     kind = "gauge"
	counter   kind = "counter"
	histogram kind = "histogram"
)

func (k kind) value() prometheus.ValueType {
	if k == counter {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}

// metric describes one; docs/metrics.md has the same table.
type metric struct {
	name   string
	kind   kind
	help   string
	labels []string
}

var all = []metric{
	{BuildInfo, gauge, "1, with the version of buoyd and of Go.", []string{byVersion, byGoVersion}},

	{NeighborEstablished, gauge, "1 if the session is established, else 0.", []string{byNeighbor}},
	{NeighborState, gauge, "State of the session: 0 Idle, 1 Connect, 2 Active, 3 OpenSent, 4 OpenConfirm, 5 Established.", []string{byNeighbor}},
	{NeighborSince, gauge, "When the session came up or was lost, or the neighbor was added.", []string{byNeighbor}},
	{NeighborStateChanges, counter, "Changes of the session's state.", []string{byNeighbor}},
	{NeighborSessions, counter, "How often the session came up.", []string{byNeighbor}},
	{NeighborFlaps, counter, "How often an established session was lost.", []string{byNeighbor}},
	{NeighborMessages, counter, "BGP messages by direction (sent, received) and type (open, update, notification, keepalive, route-refresh).", []string{byNeighbor, byDirection, byType}},
	{NeighborBytes, counter, "Bytes of BGP messages by direction (sent, received).", []string{byNeighbor, byDirection}},
	{NeighborMalformed, counter, "Received messages with errors: refused with a NOTIFICATION, or tolerated as RFC 7606 says.", []string{byNeighbor, byOutcome}},
	{NeighborRoutes, gauge, "VPN routes that the neighbor has from us (advertised), and that are taken from it (received).", []string{byNeighbor, byDirection}},
	{NeighborStaleRoutes, gauge, "Received routes that the neighbor has not announced since its session was lost.", []string{byNeighbor}},
	{NeighborExcessRoutes, gauge, "Routes that the neighbor announces beyond its max_received.", []string{byNeighbor}},
	{NeighborFiltered, counter, "Announced routes since the session began that the neighbor's settings do not accept.", []string{byNeighbor}},
	{NeighborCapped, gauge, "1 if routes are withheld because the neighbor has as many as its max_advertised allows, else 0.", []string{byNeighbor}},
	{NeighborQueueRoutes, gauge, "Routes that have yet to be compared with what the neighbor has.", []string{byNeighbor}},
	{NeighborQueueBytes, gauge, "Bytes of messages that are written and wait for the neighbor to read.", []string{byNeighbor}},
	{RefusedConnections, counter, "Connections from addresses that no neighbor has.", nil},

	{Routes, gauge, "Routes that the speaker has been given to advertise.", nil},
	{RefusedRoutes, gauge, "Routes that the speaker did not take and that are tried again.", nil},
	{NetworkRoutes, gauge, "Routes of a network that the speaker has been given (advertised), and that it imports from neighbors (imported).", []string{byNetwork, byDirection}},

	{FloatingIPsInState, gauge, "Floating IPs by state: allocated, pending, advertised, withheld.", []string{byState}},
	{FloatingIPsCounted, gauge, "When the floating IPs were counted; with many of them that may be one scrape ago.", nil},
	{PoolAddresses, gauge, "Addresses that a pool can give.", []string{byPool}},
	{PoolUsedAddresses, gauge, "Those of them that are allocated.", []string{byPool}},
	{ComputeNodes, gauge, "Compute nodes by the state of their stream: up, stale, down; vouched for those that need none and have none.", []string{byState}},
	{ComputeNodeState, gauge, "State of a compute node's stream: 0 down, 1 stale, 2 up; not there for those that are vouched for.", []string{byComputeNode}},
	{ComputeNodeDraining, gauge, "1 while a compute node drains or is drained, else 0.", []string{byComputeNode}},
	{ComputeNodeIPs, gauge, "Floating IPs that are associated with a compute node.", []string{byComputeNode}},

	{StoreRevision, gauge, "Revision of the store.", nil},
	{ReconciledRevision, gauge, "Revision of the store whose routes the speaker has been given.", nil},
	{StoreSize, gauge, "Size of the store's file.", nil},
	{StoreCommit, histogram, "How long a commit took until it was on disk, or failed.", nil},
	{StoreCommits, counter, "Commits by outcome: ok, conflict (planned again), failed.", []string{byOutcome}},
	{CommitToWire, histogram, "From a commit being on disk until routes that it changed were written to a neighbor: once for each write.", nil},
}

var byName = func() map[string]metric {
	m := map[string]metric{}
	for _, d := range all {
		m[d.name] = d
	}
	return m
}()

func (m metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.name, m.help, m.labels, nil) }
