package packet

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// inside calls a function on a thread that is in a named network namespace. The sockets
// that it makes stay there.
func inside(namespace string, fn func() error) error {
	result := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and nobody else gets it.
		runtime.LockOSThread()
		result <- func() error {
			f, err := os.Open("/run/netns/" + namespace)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter %s: %w", namespace, err)
			}
			return fn()
		}()
	}()
	return <-result
}

// pings are questions that one machine asks an address again and again, and the answers.
type pings struct {
	mu       sync.Mutex
	sent     []time.Time
	answered map[int]time.Duration // by sequence

	to     netip.Addr
	kind   int // the protocol: ICMP, or that for IPv6
	pace   time.Duration
	conn   *icmp.PacketConn
	cancel context.CancelFunc
	asking sync.WaitGroup
	done   sync.WaitGroup // of listening
	err    error          // set before done
}

// pace is how often an address is asked, by all who ask it.
const pace = 20 * time.Millisecond

// ping begins to ask, from an address of the machine; from any if none is named.
func ping(t *testing.T, namespace, from, to string) *pings {
	t.Helper()
	return pingEvery(t, pace, namespace, from, to)
}

func pingEvery(t *testing.T, pace time.Duration, namespace, from, to string) *pings {
	t.Helper()
	p := &pings{answered: map[int]time.Duration{}, to: netip.MustParseAddr(to), kind: 1, pace: pace}
	network := "ip4:icmp"
	if p.to.Is6() {
		network, p.kind = "ip6:ipv6-icmp", 58
	}
	if err := inside(namespace, func() (err error) {
		p.conn, err = icmp.ListenPacket(network, from)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.asking.Go(func() { p.ask(ctx) })
	p.done.Go(p.listen)
	return p
}

// ask sends a question at each tick. One that the kernel refuses counts as lost.
func (p *pings) ask(ctx context.Context) {
	tick := time.NewTicker(p.pace)
	defer tick.Stop()
	for {
		p.mu.Lock()
		n := len(p.sent)
		p.sent = append(p.sent, time.Now())
		p.mu.Unlock()
		m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: n & 0xffff, Data: binary.BigEndian.AppendUint32(nil, uint32(n))}}
		if p.to.Is6() {
			m.Type = ipv6.ICMPTypeEchoRequest
		}
		b, err := m.Marshal(nil)
		if err == nil {
			p.conn.WriteTo(b, &net.IPAddr{IP: p.to.AsSlice()})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// listen reads answers until the connection is closed.
func (p *pings) listen() {
	b := make([]byte, 1500)
	for {
		n, from, err := p.conn.ReadFrom(b)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.err = err
			}
			return
		}
		m, err := icmp.ParseMessage(p.kind, b[:n])
		if err != nil {
			continue
		}
		echo, ok := m.Body.(*icmp.Echo)
		if !ok || m.Type != ipv4.ICMPTypeEchoReply && m.Type != ipv6.ICMPTypeEchoReply || len(echo.Data) != 4 || from.String() != p.to.String() {
			continue
		}
		seq := int(binary.BigEndian.Uint32(echo.Data))
		p.mu.Lock()
		if _, again := p.answered[seq]; !again && seq < len(p.sent) {
			p.answered[seq] = time.Since(p.sent[seq])
		}
		p.mu.Unlock()
	}
}

// since returns how many of the questions from one on were answered.
func (p *pings) since(first int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for seq := range p.answered {
		if seq >= first {
			n++
		}
	}
	return n
}

func (p *pings) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

// more waits until so many more questions were answered.
func (p *pings) more(t *testing.T, n int) {
	t.Helper()
	streams{p}.more(t, n)
}

// result is what became of the questions.
type result struct {
	sent, lost int
	outage     time.Duration // the longest time without an answered question
	when       time.Time     // of its end
}

func (r result) String() string {
	if r.lost == 0 {
		return fmt.Sprintf("0 of %d", r.sent)
	}
	return fmt.Sprintf("%d of %d, for %v", r.lost, r.sent, r.outage.Round(time.Millisecond))
}

// stop ends it when the last question had time for its answer.
func (p *pings) stop(t *testing.T) result {
	t.Helper()
	p.cancel()
	p.asking.Wait()
	last := time.Now()
	for time.Since(last) < 2*time.Second && p.since(0) < p.asked() {
		time.Sleep(pace)
	}
	p.conn.Close()
	p.done.Wait()
	if p.err != nil {
		t.Fatal(p.err)
	}
	r := result{sent: len(p.sent), lost: len(p.sent) - len(p.answered)}
	answered := p.sent[0]
	for seq, at := range p.sent {
		if _, ok := p.answered[seq]; ok {
			answered = at
		} else {
			if d := at.Sub(answered); d > r.outage {
				r.outage, r.when = d, at
			}
		}
	}
	return r
}

// streams are pings from several addresses to one.
type streams []*pings

// pingFromAll begins to ask from all addresses of the client.
func pingFromAll(t *testing.T, to string) (list streams) {
	t.Helper()
	all := clientAddrs()
	for _, from := range all {
		list = append(list, pingEvery(t, pace*time.Duration(len(all)), "client", from, to))
	}
	return list
}

// more waits until so many more questions were answered, of each its share.
func (s streams) more(t *testing.T, n int) {
	t.Helper()
	first := make([]int, len(s))
	for i, p := range s {
		first[i] = p.asked()
	}
	each := (n + len(s) - 1) / len(s)
	eventually(t, fmt.Sprintf("%v should answer %d times", s[0].to, n), func(context.Context) error {
		for i, p := range s {
			if got := p.since(first[i]); got < each {
				return fmt.Errorf("%d answers to %d questions, from %v", got, p.asked()-first[i], p.conn.LocalAddr())
			}
		}
		return nil
	})
}

// stop ends them. The outage is the longest of all.
func (s streams) stop(t *testing.T) (all result) {
	t.Helper()
	for _, p := range s {
		r := p.stop(t)
		all.sent, all.lost = all.sent+r.sent, all.lost+r.lost
		if r.outage > all.outage {
			all.outage, all.when = r.outage, r.when
		}
	}
	return all
}

// echoPort is where workloads answer TCP.
const echoPort = 7

// serveEcho makes a workload answer each connection with its name, and then with what it
// is sent.
func serveEcho(namespace string) error {
	var l net.Listener
	if err := inside(namespace, func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf(":%d", echoPort))
		return err
	}); err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%s %s\n", namespace, host)
				io.Copy(c, c)
			}()
		}
	}()
	return nil
}

// dial opens a TCP connection and returns who answered, and as whom it saw the other end.
func dial(namespace, to string, timeout time.Duration) (c net.Conn, who, saw string, err error) {
	err = inside(namespace, func() (err error) {
		c, err = net.DialTimeout("tcp", net.JoinHostPort(to, fmt.Sprint(echoPort)), timeout)
		return err
	})
	if err != nil {
		return nil, "", "", err
	}
	c.SetDeadline(time.Now().Add(timeout))
	line, err := bufio.NewReaderSize(io.LimitReader(c, 64), 64).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &who, &saw)
	}
	if err != nil {
		c.Close()
		return nil, "", "", err
	}
	return c, who, saw, nil
}

// calls are TCP connections, one after the other, and what became of them.
type calls struct {
	cancel context.CancelFunc
	done   chan struct{}
	times  []time.Duration // of each that succeeded
	failed []error
}

// call begins to call.
func call(namespace, to string) *calls {
	ctx, cancel := context.WithCancel(context.Background())
	c := &calls{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for ctx.Err() == nil {
			start := time.Now()
			conn, _, _, err := dial(namespace, to, 10*time.Second)
			if err != nil {
				c.failed = append(c.failed, err)
				continue
			}
			conn.Close()
			c.times = append(c.times, time.Since(start))
			time.Sleep(pace)
		}
	}()
	return c
}

// stop ends it, and returns what became of the calls.
func (c *calls) stop() (text string, failed error) {
	c.cancel()
	<-c.done
	text = fmt.Sprintf("%d of %d", len(c.failed), len(c.failed)+len(c.times))
	if len(c.times) > 0 {
		text += fmt.Sprintf(", the longest took %v", slices.Max(c.times).Round(time.Millisecond))
	}
	return text, errors.Join(c.failed...)
}
