package api

import (
	"errors"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// The keys of the routes of furnish's floating IPs.
const (
	keyOfWeb1 = "10.0.0.11:1:203.0.113.5/32"
	keyOfWeb6 = "10.0.0.12:1:2001:db8::5/128"
)

// A floating IP says where it stands, and why.
func TestFloatingIPState(t *testing.T) {
	const (
		allocated  = buoyv1.FloatingIP_ALLOCATED
		pending    = buoyv1.FloatingIP_PENDING
		advertised = buoyv1.FloatingIP_ADVERTISED
		withheld   = buoyv1.FloatingIP_WITHHELD
	)
	v4 := session("mx1", neighbor.Established, "", neighbor.InetVPN)
	both := session("fixed", neighbor.Established, "", neighbor.InetVPN, neighbor.Inet6VPN)
	down := session("fixed", neighbor.Active, "connection refused")
	for _, tt := range []struct {
		name     string
		sessions []neighbor.Status
		speaker  func(*fakeSpeaker)
		of       string
		state    buoyv1.FloatingIP_State
		reason   string
	}{
		{"not associated", []neighbor.Status{v4, both}, nil, idle, allocated, "not associated with a compute node"},
		{"refused", []neighbor.Status{v4, both}, func(s *fakeSpeaker) { s.refused[keyOfWeb1] = errors.New("table is full") }, web1,
			withheld, "the speaker refused " + keyOfWeb1 + ", it is tried again: table is full"},
		{"being given", []neighbor.Status{v4, both}, func(s *fakeSpeaker) { s.withheld[keyOfWeb1] = true }, web1,
			pending, "the speaker is being given " + keyOfWeb1},
		{"sessions unknown", nil, nil, web1, pending, "no neighbor has the route: fixed is being set up; mx1 is being set up"},
		{"none established", []neighbor.Status{down, session("mx1", neighbor.OpenSent, "waiting for the OPEN")}, nil, web1,
			pending, "no neighbor has the route: fixed is Active (connection refused); mx1 is OpenSent (waiting for the OPEN)"},
		{"refused, none established", []neighbor.Status{down}, func(s *fakeSpeaker) { s.refused[keyOfWeb1] = errors.New("table is full") }, web1,
			withheld, "the speaker refused " + keyOfWeb1 + ", it is tried again: table is full"},
		{"a change refused", []neighbor.Status{v4, both}, func(s *fakeSpeaker) { s.stale[keyOfWeb1] = errors.New("not now") }, web1,
			withheld, "the speaker refused " + keyOfWeb1 + ", it is tried again: not now"},
		{"being sent", []neighbor.Status{v4, down}, func(s *fakeSpeaker) { s.waiting = true }, web1,
			pending, "no neighbor has the route: fixed is Active (connection refused); mx1 is being sent the route"},
		{"family not negotiated", []neighbor.Status{v4, down}, nil, web6,
			withheld, "no neighbor has the route: fixed is Active (connection refused); mx1 did not negotiate inet6-vpn"},
		{"one of two", []neighbor.Status{v4, down}, nil, web1, advertised, "to 1 of 2 neighbors: fixed is Active (connection refused)"},
		{"one of two in its family", []neighbor.Status{v4, both}, nil, web6, advertised, "to 1 of 2 neighbors: mx1 did not negotiate inet6-vpn"},
		{"two of two", []neighbor.Status{v4, both}, nil, web1, advertised, "to 2 of 2 neighbors"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t).furnish(t)
			l.speaker.set(func() { l.speaker.sessions = tt.sessions })
			if tt.speaker != nil {
				l.speaker.set(func() { tt.speaker(l.speaker) })
			}
			got := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: tt.of})
			if got.State != tt.state || got.StateReason != tt.reason {
				t.Errorf("state of %s:\n got %s: %s\nwant %s: %s", tt.of, got.State, got.StateReason, tt.state, tt.reason)
			}
			for _, f := range call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{}).FloatingIps {
				if f.Name == tt.of {
					equal(t, "in the list", f, got)
				}
			}
		})
	}
}

func TestFloatingIPWithoutNeighbor(t *testing.T) {
	l := newLabWith(t, inventory.Static{}).furnish(t)
	call(t, l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: mx1})
	got := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1})
	if want := "no neighbor is configured"; got.State != buoyv1.FloatingIP_PENDING || got.StateReason != want {
		t.Errorf("state: got %s: %s, want PENDING: %s", got.State, got.StateReason, want)
	}
}
