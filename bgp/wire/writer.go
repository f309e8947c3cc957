package wire

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// writer is the only way to the router: it writes whole messages, one at a
// time, whoever they are from.
type writer struct {
	conn     *net.TCPConn
	sendHold time.Duration // RFC 9687
	linger   time.Duration // for everything after hurry
	closing  atomic.Bool

	mu     sync.Mutex
	broken error // a message was not written whole, nothing can follow
}

// write writes one or more whole messages, and notes them first.
func (w *writer) write(messages []byte, note func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	note()
	for len(messages) > 0 {
		// The order matters: hurry sets closing first and its deadline second.
		w.conn.SetWriteDeadline(time.Now().Add(w.sendHold))
		if w.closing.Load() {
			w.conn.SetWriteDeadline(time.Now().Add(w.linger))
		}
		n, err := w.conn.Write(messages)
		messages = messages[n:]
		slow := n > 0 && errors.Is(err, os.ErrDeadlineExceeded) && !w.closing.Load()
		if err != nil && !slow { // who reads anything is alive
			w.broken = err
			return err
		}
	}
	return nil
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
	if w.broken != nil {
		w.conn.SetLinger(0)
		w.conn.Close()
		return
	}
	w.conn.CloseWrite()
}
