// Package api serves buoy.v1 over gRPC and HTTP.
//
// # Basics
//
// Each RPC does three things: it parses the request into a command of
// internal/inventory, has it executed, and converts the outcome. There is one
// file for each service. errors.go alone knows status codes.
//
// A refused request carries google.rpc details: ErrorInfo with the reason, and
// where they apply BadRequest with the field, ResourceInfo with what is missing
// or in the way, PreconditionFailure, QuotaFailure with what is exhausted.
//
// A request with the metadata buoy-project: NAME is for that project: it sees
// and changes what the project may. rules.go says what each RPC is to such a
// viewer, and viewer.go what that means. What a viewer may not see does not
// exist for it, in any answer. Without the metadata a request is the
// operator's, who sees all.
//
// What changes something goes through view.do: with a request_id it is done once,
// and a repetition is given the first answer; with an etag it is done only to
// what was read; with validate_only nothing is done. A batch is one change,
// and so is what Apply makes of documents; see configuration.go and document.go.
//
// split.go looks at the first bytes of a connection: who begins with PRI speaks
// gRPC, everybody else HTTP/1. A request over HTTP becomes one over gRPC within
// the process, so that there is one way in: gateway.go. The google.api.http
// rules of the .proto files say how; strict.go refuses what they have no place
// for.
//
// Lists come in pages, in the order of the names; see page.go, and filter.go for
// what of them is asked for. Routes have orders and pages of their own; see
// route_page.go, and watch.go for their changes.
//
// # Caveats
//
// A reply means that the change is on disk and that every later request sees
// it. It does not mean that a gateway has it: a floating IP's state tells.
//
// There is no authentication; only Unix sockets and loopback addresses are
// listened on. The project of a request scopes it, it does not authenticate
// anybody: whoever may connect can name any project, or none. It keeps a client
// that means well inside its project, and is what an authenticating proxy sets.
//
// A browser on the machine reaches a loopback address too: http.go refuses what
// the pages of other sites make it send.
package api
