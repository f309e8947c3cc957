package api

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// patience is how long a client may take for the beginning: to show what it
// speaks, for gRPC's handshake, for the header of an HTTP request.
const patience = 10 * time.Second

// split hands the connections of a listener to gRPC or to HTTP: whoever begins
// as HTTP/2 does, with PRI, speaks gRPC.
type split struct {
	listener  Listener
	grpc, web *branch

	stopped context.Context
	stop    context.CancelFunc
}

func newSplit(l Listener) *split {
	s := &split{listener: l}
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.grpc, s.web = &branch{s, make(chan net.Conn)}, &branch{s, make(chan net.Conn)}
	return s
}

// run accepts connections until close, or an error that does not go away.
func (s *split) run() error {
	defer s.close()
	var deciding sync.WaitGroup
	defer deciding.Wait()
	defer s.stop()
	for pause := time.Duration(0); ; {
		conn, err := s.listener.Accept()
		switch {
		case err == nil:
			pause = 0
			deciding.Go(func() { s.decide(conn) })
		case s.stopped.Err() != nil:
			return nil
		case isTemporary(err): // out of file descriptors: others may end
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-s.stopped.Done():
			}
		default:
			return err
		}
	}
}

func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

// decide waits for the first bytes. No HTTP/1 request begins as an HTTP/2
// connection does, and none is shorter.
func (s *split) decide(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(patience))
	interrupt := context.AfterFunc(s.stopped, func() { conn.SetReadDeadline(time.Now()) })
	begin := make([]byte, len("PRI"))
	_, err := io.ReadFull(conn, begin)
	if !interrupt() || err != nil {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Time{})
	to := s.web
	if string(begin) == "PRI" {
		to = s.grpc
	}
	select {
	case to.conns <- &begun{Conn: conn, begin: begin}:
	case <-s.stopped.Done():
		conn.Close()
	}
}

// close takes no more connections. Those that were handed on stay.
func (s *split) close() {
	s.stop()
	s.listener.Close()
}

// branch is a listener for one of the protocols.
type branch struct {
	of    *split
	conns chan net.Conn
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.of.stopped.Done():
		return nil, net.ErrClosed
	}
}

func (b *branch) Close() error {
	b.of.close()
	return nil
}

func (b *branch) Addr() net.Addr { return b.of.listener.Addr() }

// begun is a connection of which the first bytes have been read.
type begun struct {
	net.Conn
	begin []byte // not read again yet; owned by the reader
}

func (c *begun) Read(p []byte) (int, error) {
	if len(c.begin) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.begin)
	c.begin = c.begin[n:]
	return n, nil
}

// CloseWrite lets the client read the last answer although it is still sending.
func (c *begun) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
