// Package doctor looks at everything at once, and says what is not well, why, and what
// to do about it. It performs no I/O and knows no clock.
//
// # Basics
//
// Examine looks at one Snapshot, area by area. What it finds has a severity, a subject, a
// cause and a remedy; of what it has looked at and found well it says so. What many
// resources have in common is one Finding, with a number and a few names.
//
// It decides nothing anew. Whether a floating IP is advertised is said by whoever shows its
// state (Snapshot.Judge); why a route is not there, by inventory.Standing and
// neighbor.Delivery; why a session is not, by neighbor.Status. Facts of the machine come in
// as values.
//
// # Caveats
//
// What a gateway does with a route cannot be seen from here; see
// docs/design/0017-doctor.md.
package doctor
