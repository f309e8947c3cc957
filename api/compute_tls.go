package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"

	"github.com/buoynet/buoy/internal/inventory"
)

// NodeTLS is how the socket for compute nodes knows who is who: TLS 1.3, on both sides.
// Its files are read anew when they change. Its methods may be called concurrently.
type NodeTLS struct {
	files [3]string // certificate, key, authority of the clients
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time
	stamps [3]stamp
	config *tls.Config
}

// stamp tells versions of a file apart.
type stamp struct {
	size     int64
	modified time.Time
}

// lookPace is how often the files are looked at, at most.
const lookPace = time.Second

// NewNodeTLS reads the files, in PEM: our certificate and what leads to its root, its key,
// and the certificates of who may sign those of compute nodes.
func NewNodeTLS(certificate, key, clientCA string, log *slog.Logger) (*NodeTLS, error) {
	t := &NodeTLS{files: [3]string{certificate, key, clientCA}, log: log, looked: time.Now()}
	t.stamps = t.stampsNow()
	var err error
	t.config, err = t.read()
	return t, err
}

// Expiry returns the names of the files that hold certificates that are in use, and when what
// is in them no longer lets anybody in: our certificate with the first one of its chain, those
// who sign the others' with the last of them.
func (t *NodeTLS) Expiry() (names []string, ends []time.Time) {
	config, _ := t.current(nil) // it never fails
	note := func(name string, certificates [][]byte, sooner func(a, b time.Time) bool) {
		var end time.Time
		for _, der := range certificates {
			if c, err := x509.ParseCertificate(der); err == nil && (end.IsZero() || sooner(c.NotAfter, end)) {
				end = c.NotAfter
			}
		}
		if !end.IsZero() {
			names, ends = append(names, name), append(ends, end)
		}
	}
	note(t.files[0], config.Certificates[0].Certificate, time.Time.Before)
	note(t.files[2], t.authorities(), time.Time.After)
	return names, ends
}

// authorities returns the certificates of who signs those of compute nodes. There are none
// while they cannot be read.
func (t *NodeTLS) authorities() (list [][]byte) {
	text, _ := os.ReadFile(t.files[2])
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		list = append(list, block.Bytes)
	}
	return list
}

func (t *NodeTLS) stampsNow() (stamps [3]stamp) {
	for i, name := range t.files {
		if info, err := os.Stat(name); err == nil {
			stamps[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return stamps
}

func (t *NodeTLS) read() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(t.files[0], t.files[1])
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w", t.files[0], t.files[1], err)
	}
	authorities, err := os.ReadFile(t.files[2])
	if err != nil {
		return nil, fmt.Errorf("read who signs the certificates of compute nodes: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("read who signs the certificates of compute nodes: %s has no certificate in PEM", t.files[2])
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		NextProtos:   []string{"h2"},
		// A resumed session would be of a certificate that was good once.
		SessionTicketsDisabled: true,
	}, nil
}

// current returns what holds for a new connection. What cannot be read, as when one of the
// files is new and the other one is not yet, leaves it as it is.
func (t *NodeTLS) current(*tls.ClientHelloInfo) (*tls.Config, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.looked) < lookPace {
		return t.config, nil
	}
	t.looked = time.Now()
	stamps := t.stampsNow() // before they are read
	if stamps == t.stamps {
		return t.config, nil
	}
	t.stamps = stamps
	config, err := t.read()
	if err != nil {
		t.log.Error("the changed certificates for compute nodes cannot be used; the old ones are", "error", err)
		return t.config, nil
	}
	t.log.Info("the certificates for compute nodes were read anew", "certificate", t.files[0])
	t.config = config
	return config, nil
}

// plain lets everybody in, without encryption.
var plain = insecure.NewCredentials()

// nodeCredentials ask for TLS where others than this machine's users can come from.
type nodeCredentials struct {
	credentials.TransportCredentials // TLS
}

func newNodeCredentials(t *NodeTLS) nodeCredentials {
	return nodeCredentials{credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: t.current, NextProtos: []string{"h2"}})}
}

// ServerHandshake implements credentials.TransportCredentials.
func (c nodeCredentials) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if conn.LocalAddr().Network() == "unix" {
		return plain.ServerHandshake(conn)
	}
	return c.TransportCredentials.ServerHandshake(conn)
}

// Clone implements credentials.TransportCredentials.
func (c nodeCredentials) Clone() credentials.TransportCredentials {
	return nodeCredentials{c.TransportCredentials.Clone()}
}

// mayBe checks that a stream's certificate is that of a compute node. Without one it came
// over a Unix socket, whose owner and group may be any.
func mayBe(ctx context.Context, name string) error {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return errors.New("a stream from nowhere")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil
	}
	if len(info.State.PeerCertificates) == 0 {
		return errors.New("a TLS connection without a certificate")
	}
	names := namesIn(info.State.PeerCertificates[0])
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, nodeID(name)) }) {
		return nil
	}
	return &inventory.Error{Code: inventory.PermissionDenied, Reason: reasonOtherNode, Field: "hello.compute_node", Resource: name,
		Message: fmt.Sprintf("the certificate is that of %s, and not of %s", strings.Join(names, ", "), nodeID(name))}
}

// namesIn returns which compute nodes a certificate may stand for: its DNS names, or its
// common name if it has none (as RFC 6125 §6.4.4 has it for servers).
func namesIn(c *x509.Certificate) []string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames
	}
	return []string{c.Subject.CommonName}
}
