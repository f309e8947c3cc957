// Package linux programs a dataplane.Plan into a Linux kernel, and reads what is there.
//
// # Basics
//
//	kernel, err := linux.Open("", settings) // or the name of a network namespace
//	err = kernel.Check()                    // what is missing, and the remedy
//	found, err := kernel.Read()
//	err = kernel.Apply(dataplane.Diff(found, wanted))
//
// Everything of ours has a mark: devices begin with buoy-, the tables of nftables are
// called buoy, routes and rules have the protocol number 176. Nothing else is touched.
//
// The tests with packets need a kernel with MPLS, GRE and FOU, and root; elsewhere they say
// what is missing and skip. Built with go test -c they run in any guest.
//
// # Caveats
//
// Read says of what it finds damaged, like a tunnel that is down, that it is another one;
// so Diff has it put right. Apply takes what is half there already as a beginning.
package linux
