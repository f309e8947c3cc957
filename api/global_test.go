package api

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Another AS means other automatic targets. What would change is said before,
// and nothing is changed by that.
func TestUpdateGlobal(t *testing.T) {
	l := newLab(t).furnish(t)
	global := func(as uint32) *buoyv1.Global { return &buoyv1.Global{Name: "global/bgp", As: as, SessionAs: 64512} }
	equal(t, "seeded", call(t, l.globals.GetGlobal, &buoyv1.GetGlobalRequest{}), global(64512))

	req := &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 4200000000}, UpdateMask: maskOf("as"), ValidateOnly: true}
	want := &buoyv1.UpdateGlobalResponse{Global: global(4200000000), RenumberedTargets: []*buoyv1.RenumberedTarget{
		{Network: private, From: "target:64512:8000002", To: "target:4200000000:8002"},
		{Network: public, From: "target:64512:8000001", To: "target:4200000000:8001"},
	}}
	l.log.reset()
	revision := l.follower.State().Revision()
	equal(t, "tried", call(t, l.globals.UpdateGlobal, req), want)
	equal(t, "as it was", call(t, l.globals.GetGlobal, &buoyv1.GetGlobalRequest{}), global(64512))
	if now := l.follower.State().Revision(); now != revision || strings.Contains(l.log.String(), "changed") {
		t.Errorf("tried: got revision %d and log %q, want revision %d and no change", now, l.log, revision)
	}

	req.ValidateOnly = false
	equal(t, "changed", call(t, l.globals.UpdateGlobal, req), want)
	if want := "msg=changed method=UpdateGlobal name=global/bgp"; !strings.Contains(l.log.String(), want) {
		t.Errorf("log: got %q, want %q in it", l.log, want)
	}
	equal(t, "got", call(t, l.globals.GetGlobal, &buoyv1.GetGlobalRequest{}), global(4200000000))
	if got := call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}).AutomaticTarget; got != "target:4200000000:8001" {
		t.Errorf("automatic target: got %s, want target:4200000000:8001", got)
	}
	equal(t, "the same again", call(t, l.globals.UpdateGlobal, req), &buoyv1.UpdateGlobalResponse{Global: global(4200000000)})
}

func TestUpdateGlobalRefused(t *testing.T) {
	l := newLab(t).furnish(t)
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name: "projects/a/networks/collides", ExportTargets: []string{"target:64513:8000007"}}})
	for name, tt := range map[string]struct {
		req  *buoyv1.UpdateGlobalRequest
		want refusal
	}{
		"nothing": {&buoyv1.UpdateGlobalRequest{}, refusal{codes.InvalidArgument, "INVALID_FIELD", "update_mask", "", "expected some of as; nothing is to be changed"}},
		"session": {&buoyv1.UpdateGlobalRequest{UpdateMask: maskOf("session_as")}, refusal{codes.InvalidArgument, "INVALID_FIELD", "update_mask", "", `expected some of as, got "session_as"`}},
		"name": {&buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{Name: "global/poolBinding", As: 1}, UpdateMask: maskOf("as")},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "name", "", `expected global/bgp, got "global/poolBinding"`}},
		"no AS": {&buoyv1.UpdateGlobalRequest{UpdateMask: maskOf("as")},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "as", "", "expected an AS 1..4294967295 other than AS_TRANS 23456 (RFC 6793), got 0"}},
		"collides": {&buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 64513}, UpdateMask: maskOf("as")},
			refusal{codes.FailedPrecondition, "TARGETS_WOULD_COLLIDE", "as", "projects/a/networks/collides",
				"with AS 64513 the automatic targets are target:64513:8000001 to target:64513:8057535, and configured ones lie there: projects/a/networks/collides has target:64513:8000007"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, validateOnly := range []bool{true, false} {
				tt.req.ValidateOnly = validateOnly
				_, err := l.globals.UpdateGlobal(t.Context(), tt.req)
				tt.want.check(t, err)
			}
		})
	}
}
