// Package guest runs a program on a kernel of its own: Debian's, which has MPLS, GRE,
// VRFs and MPLS-in-UDP, in a virtual machine without any help of the processor.
//
// # Basics
//
// Fetch gets the kernel's package with apt-get, and unpacks it into a folder; nothing
// is installed. Run boots it. The guest's root is that of the machine, read only,
// with a layer over it that is lost at the end: so every program that is
// installed on the machine is there, at the same path, and the guest can break
// nothing. What it writes to Out stays.
//
//	machine                      guest
//	/            ──9p, read only──►  /   under a tmpfs
//	Job.Out      ──9p─────────────►  /run/out
//	stdout       ◄──serial line──    the program's output
//
// Its first process is the program in the folder init: it loads the modules
// that the root itself needs, runs the job and turns the machine off.
//
// # Caveats
//
// Everything is ten times as slow as it is on the machine, more or less: wait for conditions.
// The guest has no network of its own; what it needs it makes of namespaces.
package guest
