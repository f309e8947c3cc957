package api

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type daemonService struct {
	buoyv1.UnimplementedDaemonServer
	shutdown func(ctx context.Context, withdraw bool, communication string) error
}

// maxCommunication is what fits behind its octet of length (RFC 9003 §2).
const maxCommunication = 255

func (s *daemonService) Shutdown(ctx context.Context, req *buoyv1.ShutdownRequest) (*emptypb.Empty, error) {
	text := req.GetCommunication()
	switch {
	case len(text) > maxCommunication:
		return nil, invalid("communication", fmt.Errorf("expected at most %d bytes, got %d", maxCommunication, len(text)))
	case text != "" && !req.GetWithdraw():
		return nil, invalid("communication", fmt.Errorf("expected none without withdraw: the sessions end without a word"))
	}
	return &emptypb.Empty{}, s.shutdown(ctx, req.GetWithdraw(), text)
}
