// Package api serves buoy.v1 over gRPC.
//
// # Basics
//
// Each RPC does three things: it parses the request into a command of
// internal/inventory, has it executed, and converts the outcome. There is one
// file for each service. errors.go alone knows status codes.
//
// A refused request carries google.rpc details: ErrorInfo with the reason, and
// where they apply BadRequest with the field, ResourceInfo with what is missing
// or in the way, PreconditionFailure.
//
// # Caveats
//
// A reply means that the change is on disk and that every later request sees
// it. It does not mean that a gateway has it: a floating IP's state tells.
// There is no authentication; only Unix sockets and loopback addresses are
// listened on.
package api
