// Package metrics shows Prometheus how the daemon does.
//
// # Basics
//
// What can be seen at any time is read when somebody asks, from the snapshots that
// others read, too (Source): nothing is kept up to date for it. Only what cannot be seen
// afterwards is noted when it happens: how long a commit took, and how long its routes
// took to the neighbors. Who measures that knows nothing of this package: it calls a
// function that cmd/buoyd supplies. docs/metrics.md lists all.
//
// # Caveats
//
// To count floating IPs by state is to look at each of them. A Census does that beside
// the scrape, and takes at most a tenth of the time: with many floating IPs a scrape
// shows the count that the one before has asked for.
//
// Labels are the names of neighbors, networks, pools and compute nodes, never those of
// floating IPs.
package metrics
