// Package gatewayconfig writes what a router has to be told to be a gateway of
// Buoy, in the language of its vendor. It performs no I/O.
//
// # Basics
//
// Render takes an Input, which is what Buoy knows of one neighbor, the networks
// and the compute nodes, and the name of a vendor. Each vendor has a template
// in templates, and an entry in vendors.go that says what it can and cannot do.
// What it cannot do is said in a comment of the text.
//
// Integration tests load the texts for FRR, BIRD and GoBGP into these routers as
// they are. The others come from the vendors' manuals; they say so themselves.
//
// # Caveats
//
// Nothing of an Input reaches a text as it is: names lose what a router would
// not take for part of a name, and all else has a type. So whoever may name a
// network cannot write a line into the configuration of a router.
//
// The MD5 key is not part of an Input. A text has a placeholder for it, as for
// all else that is not known, and Render says what belongs there.
package gatewayconfig
