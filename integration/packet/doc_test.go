// Package packet proves that packets arrive: a client behind a gateway reaches workloads at
// their floating IPs, with FRR, Buoy and its agent as the only ones that program anything.
//
// # Basics
//
// make lab builds the programs and this test, boots Debian's kernel (internal/lab/guest),
// and runs the test there. On a machine's own kernel its tests are skipped. There is one
// network for all tests, of namespaces:
//
//	client ── gw ──┬── cmp1 ── w1
//	198.51.100.10  ├── cmp2 ── w2
//	               ├── control1   10.0.0.2
//	               └── control2   10.0.0.3
//
// gw is FRR with a VRF of the kernel; 10.0.0.1. The compute nodes are 10.0.0.11 and .12, and
// each runs a buoy-agent. The workloads have their fixed IPs and know nothing of floating ones.
//
// The lab makes what is a provider's: cables, addresses of the machines, the VRF of the
// gateway and its tunnels, as buoyctl gateway-config prints them. Everything else, each
// route with a label and each translation, is somebody's answer to a command of buoyctl.
package packet
