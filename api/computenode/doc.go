// Package computenode is for whoever writes the agent of a compute node: it keeps the
// stream to Buoy, says what to program, and reports how interfaces are.
//
// # Basics
//
//	agent, err := computenode.New(computenode.Config{Server: "buoy.example.net:50052", TLS: certificates,
//		Node: "cmp1", Program: program})
//	agent.Report(&buoyv1.ComputeInterface{Name: "tap0", State: buoyv1.ComputeInterface_UP})
//	agent.Complete() // all that is there has been reported
//	err = agent.Run(ctx)
//
// Program is called with one Batch after the other: the floating IPs and routes that are
// to be removed, new or changed. What it has taken is kept while there is no stream, and
// what comes again as it is, after a reconnect, is left out.
//
//	Buoy ── stream ── receive ──► Run ── Batch ──► Program
//	          ▲                    └──► mirror: what was programmed
//	          └────── send ◄── reports ◄── Report, Forget, Complete
//
// A stream that is lost is opened again, after 100 ms first and 10 s at last, for as long
// as Run runs. If Buoy still knows what has changed since, only that comes. Otherwise a
// snapshot comes, and what it does not mention goes at its end: that of floating IPs first,
// that of routes when the gateways have announced theirs to Buoy.
//
// What no pause mends is logged as an error and tried every 10 s: a compute node that does
// not exist, a certificate of another one, another agent of the same name.
//
// When Program fails, the stream ends, the error is logged, and after a pause that grows,
// too, a snapshot has everything come again that was not programmed for certain.
//
// # Caveats
//
// The mirror is in memory. An agent that begins anew is told everything, and what its
// earlier run has left behind may go when Batch.AllFloatingIPs and Batch.AllRoutes say so.
//
// Before Complete, interfaces that were not reported stay as an earlier run has reported
// them; call it when the agent has looked at all of them, and not before.
//
// Program may take long: keep-alives go on. But Buoy ends a stream that takes nothing for
// the hold time while there is more to tell.
//
// Times are measured by a clock that nobody sets.
package computenode
