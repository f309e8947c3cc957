package wire

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// causeOf classifies what went wrong with a connection.
func causeOf(err error) neighbor.Cause {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return neighbor.CauseConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return neighbor.CauseUnreachable
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EINVAL): // the latter from loopback to elsewhere
		return neighbor.CauseLocalAddress
	case errors.As(err, &timeout) && timeout.Timeout():
		return neighbor.CauseTimedOut
	}
	return neighbor.CauseConnectionLost
}

// rootCause says what happened without addresses and names of system calls.
func rootCause(err error) string {
	var errno syscall.Errno
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.EINVAL):
		return "our own address there is a loopback address, which reaches no other machine"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF):
		return "closed by the other side"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "closed by the other side in the middle of a message"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	}
	return err.Error()
}

// sleep reports whether ctx is still alive after d.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
