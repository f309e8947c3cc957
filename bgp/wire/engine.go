package wire

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// engineSide is the engine's end of a connection. What the router sends before
// there is an engine is kept.
type engineSide struct {
	conn atomic.Pointer[net.TCPConn] // set before handed, so that it can be woken

	mu     sync.Mutex // held while writing
	handed bool
	early  []byte // the router's OPEN, and its KEEPALIVE if it was impatient
	alive  bool   // early has that KEEPALIVE
}

// write passes a message on, or keeps it. Before our OPEN has gone out the FSM
// lets only one OPEN and KEEPALIVEs through; one KEEPALIVE is as good as many.
func (e *engineSide) write(msg []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handed {
		_, err := e.conn.Load().Write(msg)
		return err
	}
	if msg[18] == typeKeepalive {
		if e.alive {
			return nil
		}
		e.alive = true
	}
	e.early = append(e.early, msg...)
	return nil
}

// handOver passes on what was kept, and everything later as it comes.
func (e *engineSide) handOver() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handed = true
	_, err := e.conn.Load().Write(e.early)
	e.early = nil
	return err
}

// connectEngine dials the engine until it answers with its OPEN, or the
// connection ends. The engine closes at once what comes before it is ready.
func (c *connection) connectEngine(link Link) (*messageReader, []byte, error) {
	for {
		r, open, err := c.dialEngine(link)
		if err == nil || c.ctx.Err() != nil {
			return r, open, err
		}
		c.peer.waiting(c, "connected, waiting for the engine: "+rootCause(err))
		if !sleep(c.ctx, c.peer.timers.engineRetry) {
			return nil, nil, c.ctx.Err()
		}
	}
}

func (c *connection) dialEngine(link Link) (*messageReader, []byte, error) {
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: link.Local.AsSlice()},
		Timeout:   c.peer.timers.connect,
		Control: func(_, _ string, raw syscall.RawConn) error {
			if link.Key == "" {
				return nil
			}
			return setMD5(raw, link.Engine.Addr(), link.Key)
		},
	}
	d.SetMultipathTCP(false)
	conn, err := d.DialContext(c.ctx, "tcp", link.Engine.String())
	if err != nil {
		return nil, nil, err
	}
	// From here on serve can wake the read below. No time limit otherwise: a
	// busy engine takes its time, and takes abandoned connections for lost ones.
	c.engine.conn.Store(conn.(*net.TCPConn))
	r := newMessageReader(conn)
	err = c.ctx.Err()
	if err == nil {
		var msg []byte
		if msg, err = r.next(); err == nil && msg[18] == typeOpen {
			return r, append([]byte(nil), msg...), nil
		}
	}
	if err == nil {
		err = errors.New("it did not begin with an OPEN")
	}
	c.engine.conn.Store(nil)
	conn.Close()
	return nil, nil, err
}

// wake makes reads from the engine end, and gives what is being written to it
// a moment.
func (e *engineSide) wake(linger time.Duration) {
	if conn := e.conn.Load(); conn != nil {
		conn.SetReadDeadline(time.Now())
		conn.SetWriteDeadline(time.Now().Add(linger))
	}
}
