// Package dataplane says what a compute node must have in its kernel for the floating IPs
// and routes that it was told, and what is to be done to get there. It performs no I/O.
//
// # Basics
//
//	programme ── Build ──► Plan ── Diff(found, plan) ──► steps ──► dataplane/linux
//
// A Plan is a set of items: tunnels to gateways, labels, rules, routes, elements of the
// maps that translate addresses. Each has a key and prints as one line; two items are the
// same if their lines are. What is found in the kernel is a Plan, too. So an agent that
// starts again and finds everything in place has nothing to do.
//
// A packet from a gateway:
//
//	tunnel ─ ingress: mark = label ─ label popped ─► buoy-in ─ floating? ─ DNAT ─ table of the label ─► interface
//
// and one of a workload:
//
//	interface ─ mark of its fixed IP ─ table of its network ─ SNAT ─ route with the gateway's label ─► tunnel
//
// # The mark
//
// It says whose a packet is, since fixed IPs, and floating IPs of different networks, may
// overlap: bits 12..31 are the label, 4..11 the network, 0..3 are Tag. It chooses the
// routing table, and with the address the translation.
//
// # Caveats
//
// A workload opens connections in the network of its first floating IP, by name, that
// allows it. Answers go where the question came from.
//
// The rest of a node's traffic is left alone: what has no floating IP gets no mark.
package dataplane
