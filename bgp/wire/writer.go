package wire

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

var errBroken = errors.New("an earlier message was cut off")

// writer is the only way to the router: it writes whole messages, one at a
// time, whoever they are from.
type writer struct {
	conn     *net.TCPConn
	sendHold time.Duration // RFC 9687
	linger   time.Duration // for everything after hurry
	closing  atomic.Bool

	mu     sync.Mutex
	broken bool // a message was not written whole, nothing can follow
}

// write writes one or more whole messages.
func (w *writer) write(messages []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return errBroken
	}
	// The order matters: hurry sets closing first and its deadline second.
	w.conn.SetWriteDeadline(time.Now().Add(w.sendHold))
	if w.closing.Load() {
		w.conn.SetWriteDeadline(time.Now().Add(w.linger))
	}
	_, err := w.conn.Write(messages)
	w.broken = err != nil
	return err
}

// hurry gives the write that is going on, and every later one, only a moment.
func (w *writer) hurry() {
	w.closing.Store(true)
	w.conn.SetWriteDeadline(time.Now().Add(w.linger))
}

// close ends the stream after what was written. A stream that is cut off in a
// message is reset, because a FIN would wait behind what the router does not
// read.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		w.conn.SetLinger(0)
		w.conn.Close()
		return
	}
	w.conn.CloseWrite()
}
