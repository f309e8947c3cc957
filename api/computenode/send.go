package computenode

import (
	"context"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// send sends reports, what was programmed, and a keep-alive when there is nothing else to say. It ends with
// the stream; why that ended is for receive to say.
func (s *session) send(ctx context.Context) {
	last, said := time.Now(), uint64(0)
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		list := s.reports.take()
		for _, r := range list {
			if err := s.stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Report{Report: r}}); err != nil {
				return
			}
			last = time.Now()
		}
		if has := s.has.Load(); has > said {
			if err := s.stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Programmed{Programmed: &buoyv1.Programmed{Revision: has}}}); err != nil {
				return
			}
			last, said = time.Now(), has
		}
		if time.Since(last) >= s.holdTime()/3 {
			if err := s.stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_KeepAlive{KeepAlive: &buoyv1.KeepAlive{}}}); err != nil {
				return
			}
			last = time.Now()
		}
		due.Reset(s.holdTime()/3 - time.Since(last))
		select {
		case <-s.reports.wake:
		case <-s.changed:
		case <-due.C:
		case <-ctx.Done():
			return
		}
	}
}
