package main

import (
	"bytes"
	"testing"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestDescribeStream(t *testing.T) {
	for _, tt := range []struct {
		node *buoyv1.ComputeNode
		want string
	}{
		{&buoyv1.ComputeNode{StateReason: "no stream; whoever associates vouches"}, `State:        - (no stream; whoever associates vouches)
Since:        -
Stream from:  -
Agent:        -
Interfaces:   -
`},
		{&buoyv1.ComputeNode{State: buoyv1.ComputeNode_UP, StateSince: "2026-03-01T12:00:00Z", StreamAddress: "10.0.0.11:4711", AgentVersion: "agent/1", Interfaces: []*buoyv1.ComputeInterface{
			{Name: "tap0"},
			{Name: "tap1", State: buoyv1.ComputeInterface_UP, Since: "2026-03-01T12:00:01Z", Preference: buoyv1.ComputeInterface_BACKUP, DampedUntil: "2026-03-01T12:00:05Z", Flaps: 5},
			{Name: "tap2", State: buoyv1.ComputeInterface_UNHEALTHY, Reason: "no answer", Since: "2026-03-01T12:00:02Z"},
		}}, `State:        up
Since:        2026-03-01T12:00:00Z
Stream from:  10.0.0.11:4711
Agent:        agent/1
Interfaces:   tap0 not reported
              tap1 up since 2026-03-01T12:00:01Z, backup, counts as down until 2026-03-01T12:00:05Z, went down 5 times lately
              tap2 unhealthy (no answer) since 2026-03-01T12:00:02Z
`},
	} {
		var out bytes.Buffer
		s := newSection(&out)
		describeStream(s, tt.node)
		if err := s.flush(); err != nil || out.String() != tt.want {
			t.Errorf("got\n%s%v\nwant\n%s", &out, err, tt.want)
		}
	}
}
