// Package history describes what has happened: which resources were changed, by
// whom and how, and what was observed. It performs no I/O.
//
// # Basics
//
// An Event is a change of a resource, with the fields that differ before and after, or
// something that was observed, like a neighbor whose session is lost. A commit brings
// Steps, one for each request; whoever writes them down knows the values before:
//
//	events := step.Events(now, func(key string) []byte { … })
//
// Encode and Decode are the form in which a store keeps them. Each has a checksum of
// its own. By and AuthorOf hand on who makes a request, along with its context.
//
// # Caveats
//
// Before and After of a change are JSON objects as the store has them, with the fields
// alone that differ: whoever shows them puts them into the words of users.
//
// A step with more than MaxSingle changes becomes groups that tell the names alone.
package history
