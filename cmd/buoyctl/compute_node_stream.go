package main

import (
	"fmt"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// streamState says how the stream of a compute node is, if there is one or should be.
func streamState(n *buoyv1.ComputeNode) string {
	if n.State == buoyv1.ComputeNode_STATE_UNSPECIFIED {
		return ""
	}
	return word(n.State)
}

// describeStream shows the stream of a compute node, and what came over it.
func describeStream(s section, n *buoyv1.ComputeNode) {
	state := orDash(streamState(n))
	if n.StateReason != "" {
		state += " (" + n.StateReason + ")"
	}
	s.line("State", state)
	s.line("Since", n.StateSince)
	s.line("Stream from", n.StreamAddress)
	s.line("Agent", n.AgentVersion)
	s.lines("Interfaces", len(n.Interfaces), func(i int) string { return describeReported(n.Interfaces[i]) })
}

// describeReported shows what a compute node has reported of an interface.
func describeReported(i *buoyv1.ComputeInterface) string {
	text := i.Name + " "
	if i.State == buoyv1.ComputeInterface_STATE_UNSPECIFIED {
		return text + "not reported"
	}
	text += word(i.State)
	if i.Reason != "" {
		text += " (" + i.Reason + ")"
	}
	if i.Since != "" {
		text += " since " + i.Since
	}
	if i.Preference != buoyv1.ComputeInterface_PREFERENCE_UNSPECIFIED {
		text += ", " + word(i.Preference)
	}
	if i.DampedUntil != "" {
		text += ", counts as down until " + i.DampedUntil
	}
	if i.Flaps > 0 {
		text += fmt.Sprintf(", went down %d times lately", i.Flaps)
	}
	return text
}
