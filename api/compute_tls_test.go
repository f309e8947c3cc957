package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// authority signs certificates.
type authority struct {
	testing.TB
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{TB: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, key := a.sign(template, template)
	a.key = key
	var err error
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign signs a certificate for a new key; with no key of its own, with that one.
func (a *authority) sign(template, by *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, signer)
	if err != nil {
		a.Fatal(err)
	}
	return der, key
}

// issue returns a certificate and its key, in PEM.
func (a *authority) issue(serial int64, common string, names ...string) (certificate, key []byte) {
	a.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: common}, DNSNames: names, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, private := a.sign(template, a.certificate)
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		a.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// client returns the credentials of a compute node that trusts the authority.
func (a *authority) client(serial int64, common string, names ...string) credentials.TransportCredentials {
	a.Helper()
	pair, err := tls.X509KeyPair(a.issue(serial, common, names...))
	if err != nil {
		a.Fatal(err)
	}
	return credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: a.pool()})
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// files are those of NodeTLS.
type files struct{ certificate, key, clientCA string }

func newFiles(t testing.TB) files {
	dir := t.TempDir()
	return files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
}

// write replaces the files.
func (f files) write(t testing.TB, certificate, key, clientCA []byte) {
	t.Helper()
	for name, text := range map[string][]byte{f.certificate: certificate, f.key: key, f.clientCA: clientCA} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newTLSLab serves compute nodes on a port of loopback, with TLS.
func newTLSLab(t testing.TB) (*nodeLab, *authority, files) {
	t.Helper()
	ca, f := newAuthority(t, "ca"), newFiles(t)
	certificate, key := ca.issue(2, "buoyd")
	f.write(t, certificate, key, ca.pem())
	l := &nodeLab{lab: newLab(t)}
	tls, err := NewNodeTLS(f.certificate, f.key, f.clientCA, slog.New(slog.NewTextHandler(l.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l.serve(t, endpoint{"tcp", "127.0.0.1:0"}, tls)
	return l.furnishNodes(t, 2), ca, f
}

// TestNodeTLS: the certificate says which compute node it is.
func TestNodeTLS(t *testing.T) {
	l, ca, _ := newTLSLab(t)
	for _, tt := range []struct {
		name   string
		common string
		dns    []string
		is     string // how the refusal names it; empty if it is let in
	}{
		{"by common name", "n0", nil, ""},
		{"by DNS name", "somebody", []string{"n0"}, ""},
		{"by one of several", "somebody", []string{"n0.example.org", "N0"}, ""},
		{"another one", "n1", nil, "n1"},
		{"another one by DNS name, whatever the common name says", "n0", []string{"n1"}, "n1"},
		{"a longer name", "n0.example.org", nil, "n0.example.org"},
		{"with the kind", "computeNodes/n0", nil, "computeNodes/n0"},
		{"without a name", "", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := attach(t, l.dial(t, ca.client(3, tt.common, tt.dns...)), &buoyv1.Hello{ComputeNode: nodeName(0)})
			if tt.is != "" || tt.common == "" {
				refusal{codes.PermissionDenied, "NOT_YOUR_COMPUTE_NODE", "hello.compute_node", nodeName(0), "the certificate is that of " + tt.is + ", and not of n0"}.check(t, a.fails())
				return
			}
			a.expect("let in", "welcome, hold time 30, resumed false")
			if address := l.nodes.session(nodeName(0)).address; !strings.HasPrefix(address, "127.0.0.1:") {
				t.Errorf("it comes from %q", address)
			}
		})
	}
}

// TestNodeTLSRefused: nobody without a certificate of the authority, nobody with TLS 1.2,
// and nobody in plain text.
func TestNodeTLSRefused(t *testing.T) {
	l, ca, _ := newTLSLab(t)
	other := newAuthority(t, "other")
	pair, err := tls.X509KeyPair(other.issue(3, "n0"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := tls.X509KeyPair(ca.issue(3, "n0"))
	if err != nil {
		t.Fatal(err)
	}
	for name, creds := range map[string]credentials.TransportCredentials{
		"no certificate":         credentials.NewTLS(&tls.Config{RootCAs: ca.pool()}),
		"of another authority":   credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{pair}}),
		"TLS 1.2":                credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{own}, MaxVersion: tls.VersionTLS12}),
		"plain":                  nil,
		"one that trusts others": credentials.NewTLS(&tls.Config{RootCAs: other.pool(), Certificates: []tls.Certificate{own}}),
	} {
		stream, err := buoyv1.NewComputeStreamsClient(l.dial(t, creds)).Attach(t.Context())
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.Unavailable || l.nodes.opened > 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestNodeTLSRenewed: changed files count without a restart; files that make no sense
// together leave what was.
func TestNodeTLSRenewed(t *testing.T) {
	l, ca, f := newTLSLab(t)
	serial := func() int64 {
		t.Helper()
		pair, err := tls.X509KeyPair(ca.issue(3, "n0"))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := tls.Dial("tcp", l.address, &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 2 {
		t.Errorf("at first: got certificate %d, want 2", got)
	}
	if err := os.WriteFile(f.key, []byte("not yet"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broken key is noticed", func() bool {
		return serial() == 2 && strings.Contains(l.log.String(), "the changed certificates for compute nodes cannot be used")
	})
	certificate, key := ca.issue(7, "buoyd")
	f.write(t, certificate, key, ca.pem())
	eventually(t, "the new certificate", func() bool { return serial() == 7 })

	// Another authority for the nodes: those of the old one are no longer let in.
	other := newAuthority(t, "other")
	f.write(t, certificate, key, other.pem())
	eventually(t, "the new authority", func() bool {
		stream, err := buoyv1.NewComputeStreamsClient(l.dial(t, ca.client(3, "n0"))).Attach(t.Context())
		if err == nil {
			stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: &buoyv1.Hello{ComputeNode: nodeName(0)}}})
			_, err = stream.Recv()
		}
		return status.Code(err) == codes.Unavailable
	})
}

// TestNodeTLSFiles: what cannot be used is refused at the start, with the file.
func TestNodeTLSFiles(t *testing.T) {
	ca, f := newAuthority(t, "ca"), newFiles(t)
	certificate, key := ca.issue(2, "buoyd")
	_, otherKey := ca.issue(3, "buoyd")
	for _, tt := range []struct {
		certificate, key, clientCA []byte
		want                       string
	}{
		{nil, key, ca.pem(), "read the certificate " + f.certificate + " and its key " + f.key + ": "},
		{certificate, otherKey, ca.pem(), "private key does not match public key"},
		{certificate, key, []byte("x"), f.clientCA + " has no certificate in PEM"},
	} {
		f.write(t, tt.certificate, tt.key, tt.clientCA)
		if _, err := NewNodeTLS(f.certificate, f.key, f.clientCA, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q in it", err, tt.want)
		}
	}
	os.Remove(f.clientCA)
	if _, err := NewNodeTLS(f.certificate, f.key, f.clientCA, nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without a file: got %v", err)
	}
}

// TestNodeTLSExpiry: of our own certificate the first end counts, of those who sign the last.
func TestNodeTLSExpiry(t *testing.T) {
	ca, other, f := newAuthority(t, "ca"), newAuthority(t, "other"), newFiles(t)
	template := *other.certificate
	template.NotAfter = time.Now().Add(-time.Hour).Truncate(time.Second)
	der, _ := other.sign(&template, &template)
	gone := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	certificate, key := ca.issue(2, "buoyd")
	f.write(t, append(certificate, gone...), key, append(gone, ca.pem()...))
	tls, err := NewNodeTLS(f.certificate, f.key, f.clientCA, nil)
	if err != nil {
		t.Fatal(err)
	}
	names, ends := tls.Expiry()
	if !slices.Equal(names, []string{f.certificate, f.clientCA}) || !ends[0].Equal(template.NotAfter) || !ends[1].Equal(ca.certificate.NotAfter) {
		t.Errorf("got %v, %v, want %v, %v", names, ends, template.NotAfter, ca.certificate.NotAfter)
	}
}

// TestNodeTLSUnix: the same server lets whoever may open its Unix socket be any node.
func TestNodeTLSUnix(t *testing.T) {
	ca, f := newAuthority(t, "ca"), newFiles(t)
	certificate, key := ca.issue(2, "buoyd")
	f.write(t, certificate, key, ca.pem())
	l := &nodeLab{lab: newLab(t)}
	tls, err := NewNodeTLS(f.certificate, f.key, f.clientCA, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.serve(t, endpoint{"unix", filepath.Join(shortDir(t), "n")}, tls)
	l.furnishNodes(t, 1)
	attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)}).expect("let in", "welcome, hold time 30, resumed false")
}
