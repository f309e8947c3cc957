// Package bolt is the embedded store: one bbolt file, opened by one process.
//
// # Basics
//
// The file has two buckets, a third one once there are notes, and a fourth one once
// there is a history:
//
//	keys    <key>    8 bytes version, then the value
//	meta    "header" 8 bytes each: format, revision, number of keys, sum of the
//	                 content, checksum of the record
//	        "notes"  the same of the notes; the revision is 0
//	notes   <name>   a text
//	history <number> 8 bytes: an event, as package history encodes it
//
// Notes are what a daemon wants to find again at its next start, beside what it
// keeps: they have no revision, and nobody watches them. A program that does not
// know them leaves them as they are.
//
// Events are numbered without gaps, so they need no record of how many there are. The
// sum does not cover them: each has a checksum of its own, and what damages one of them
// says nothing of the resources. When their pages are damaged, Open goes on without
// them (HistoryLost). A program that does not know them leaves them as they are; what
// it commits is not among them.
//
// All numbers are big endian. The sum is the sum of a CRC-64 of every key and
// value. bbolt itself protects no page but its two headers, so a flipped bit
// would change a floating IP in silence; with the sum, Open notices.
//
// One goroutine writes. It takes all the commits that wait and puts them into
// one bbolt transaction, so that they share its syncs; each has a revision of
// its own and sees those before it. Callers hear of the outcome, and watchers
// of the changes, after the transaction is on disk.
//
//	Commit ──► run: conditions, writes, sync ──► a queue for each watcher ──► Watch
//	   ◄──────────── revision ─────────┘
//
// Open reads the whole file and checks it before bbolt maps it into memory:
// bbolt would make a store out of an empty file, and die of SIGBUS in a
// truncated one. A file that is missing is created under another name and
// linked into place when it is complete.
//
// # Caveats
//
// A commit that changes nothing (no mutations, only checks, deletes of what is
// absent) returns the current revision and is not an event. One commit may
// write a key only once. A deleted key is reported with the version Absent.
//
// Watchers share the values that are reported to them: they must not be
// modified.
//
// bbolt would go on with the older of its two headers when the newer one is
// damaged, and the last commit would be lost in silence. Open refuses instead.
// A crash does not damage a header: its 64 bytes are in one disk sector, which
// is written whole or not at all.
//
// After a failed commit the store goes on if nothing of it can be seen, as
// when the disk was full. If the last sync failed, nobody knows what the disk
// holds; then every later call returns that error until the store is opened
// again.
//
// Damage is looked for when the store is opened, not later. Truncating the
// file of a running process kills the process.
package bolt
