package api

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestShutdown(t *testing.T) {
	l := newLab(t)
	daemon := buoyv1.NewDaemonClient(l.conn)
	for _, tt := range []struct {
		req  *buoyv1.ShutdownRequest
		text string
	}{
		{&buoyv1.ShutdownRequest{Communication: "bye"}, "expected none without withdraw: the sessions end without a word"},
		{&buoyv1.ShutdownRequest{Withdraw: true, Communication: strings.Repeat("x", 256)}, "expected at most 255 bytes, got 256"},
	} {
		_, err := daemon.Shutdown(t.Context(), tt.req)
		refusal{code: codes.InvalidArgument, reason: "INVALID_FIELD", text: tt.text, field: "communication"}.check(t, err)
	}
	if len(l.shutdowns) != 0 {
		t.Errorf("refused, and carried out: %v", l.shutdowns)
	}
	call(t, daemon.Shutdown, &buoyv1.ShutdownRequest{})
	call(t, daemon.Shutdown, &buoyv1.ShutdownRequest{Withdraw: true, Communication: "bye"})
	if got := strings.Join(l.shutdowns, "; "); got != "false ; true bye" {
		t.Errorf("got %q", got)
	}
}
