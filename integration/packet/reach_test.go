package packet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestReach: the client reaches workloads at their floating IPs, over GRE and over UDP, with
// ICMP and TCP, and each side sees the other's outer address only.
func TestReach(t *testing.T) {
	w := take(t)
	for _, tt := range []struct{ name, address, workload, client string }{
		{"gre", overGRE, "w1", clientAddr.String()},
		{"udp", overUDP, "w2", clientAddr.String()},
		{"ipv6", sixth, "w1", clientAddr6.String()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.answers(t, tt.address)
			p := ping(t, "client", "", tt.address)
			p.more(t, 50)
			if r := p.stop(t); r.lost > 0 {
				t.Errorf("ping: %v", r)
			}
			c, who, saw, err := dial("client", tt.address, patience)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if who != tt.workload || saw != tt.client {
				t.Errorf("%s answered and saw %s, want %s and %s", who, saw, tt.workload, tt.client)
			}
			c, who, saw, err = dial(tt.workload, tt.client, patience)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if who != "client" || saw != tt.address {
				t.Errorf("%s opened a connection: %s answered and saw %s, want client and %s", tt.workload, who, saw, tt.address)
			}
		})
	}
}

// TestLarge: more than a packet goes through in both directions, although tunnels leave
// less room than the workloads' interfaces say.
func TestLarge(t *testing.T) {
	w := take(t)
	for _, address := range []string{overGRE, overUDP, sixth} {
		t.Run(address, func(t *testing.T) {
			w.answers(t, address)
			c, _, _, err := dial("client", address, patience)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			const size = 1 << 20
			sent := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, size))
				sent <- errors.Join(err, c.(*net.TCPConn).CloseWrite())
			}()
			n, err := io.Copy(io.Discard, c)
			if err := errors.Join(err, <-sent); err != nil || n != size {
				t.Errorf("%d bytes came back, want %d: %v", n, size, err)
			}
		})
	}
}

// TestBalance: calls to a floating IP at two compute nodes come to both.
func TestBalance(t *testing.T) {
	w := take(t)
	eventually(t, "the gateway has both ways", func(ctx context.Context) error {
		text, err := w.gateway.routes(ctx, both)
		if err == nil && strings.Count(text, "encap mpls") != 2 {
			err = fmt.Errorf("got %q", text)
		}
		return err
	})
	counts := map[string]int{}
	eventually(t, "both workloads answer", func(context.Context) error {
		c, who, _, err := dial("client", both, 5*time.Second)
		if err != nil {
			return err
		}
		c.Close()
		counts[who]++
		if len(counts) < 2 {
			return fmt.Errorf("got %v", counts)
		}
		return nil
	})
}

// answers waits until an address answers the client.
func (w *world) answers(t *testing.T, address string) {
	t.Helper()
	p := ping(t, "client", "", address)
	p.more(t, 5)
	p.stop(t)
}
