package api

import (
	"testing"

	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestFloatingIPLife(t *testing.T) {
	l := newLab(t).furnish(t)
	const name = "projects/other/floatingIps/new"
	want := &buoyv1.FloatingIP{Name: name, Network: public, Address: "203.0.113.77",
		State: buoyv1.FloatingIP_ALLOCATED, StateReason: "not associated with a compute node"}
	equal(t, "allocated", call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Network: public, Address: "203.0.113.77"}), want)

	at1 := &buoyv1.Association{ComputeNode: cmp1, Interface: "tap1", FixedIp: "10.47.255.1", Label: 16}
	at2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 1048575, Preferred: true}
	want.State = buoyv1.FloatingIP_PENDING
	want.StateReason = "no neighbor can take the route: fixed is being set up; mx1 is being set up"
	for _, a := range []*buoyv1.Association{at1, at2} {
		want.Associations = append(want.Associations, a)
		equal(t, "associated", call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name, Association: a}), want)
	}
	equal(t, "got", call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name}), want)
	equal(t, "listed", call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/other"}),
		&buoyv1.ListFloatingIPsResponse{FloatingIps: []*buoyv1.FloatingIP{want}})
	if got := len(call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{}).FloatingIps); got != 4 {
		t.Errorf("floating IPs of all projects: got %d, want 4", got)
	}

	want.Associations = []*buoyv1.Association{at2}
	equal(t, "disassociated from one", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name, Interface: "tap1"}), want)
	want.Associations, want.State, want.StateReason = nil, buoyv1.FloatingIP_ALLOCATED, "not associated with a compute node"
	equal(t, "disassociated", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name, ComputeNode: cmp2}), want)
	equal(t, "released", call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: name}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/other"}), &buoyv1.ListFloatingIPsResponse{})
}

func TestDisassociateAll(t *testing.T) {
	l := newLab(t).furnish(t)
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{
		ComputeNode: cmp2, Interface: "tap0", FixedIp: "10.47.255.249", Label: 100}})
	equal(t, "disassociated", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1}), &buoyv1.FloatingIP{
		Name: web1, Network: public, Address: "203.0.113.5",
		State: buoyv1.FloatingIP_ALLOCATED, StateReason: "not associated with a compute node"})
}
