package api

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// overHTTP returns a plain HTTP client for a Unix socket.
func overHTTP(t testing.TB, socket string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// reply is an answer to an HTTP request.
type reply struct {
	status int
	header http.Header
	body   string
}

// http makes a request. Headers are pairs of names and values.
func (l *lab) http(t testing.TB, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://buoy"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := overHTTP(t, l.socket).Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// ok is http for a request that must succeed, and returns the answer.
func (l *lab) ok(t testing.TB, method, path, body string, headers ...string) map[string]any {
	t.Helper()
	r := l.http(t, method, path, body, headers...)
	var answer map[string]any
	if err := json.Unmarshal([]byte(r.body), &answer); r.status != http.StatusOK || err != nil {
		t.Fatalf("%s %s: got %d %s, want 200 and an object", method, path, r.status, r.body)
	}
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: got Content-Type %q, want application/json", method, path, got)
	}
	return answer
}

// refused compares an answer with a status and the whole error.
func (r reply) refused(t testing.TB, code int, want refusal) {
	t.Helper()
	s := &spb.Status{}
	if err := protojson.Unmarshal([]byte(r.body), s); err != nil {
		t.Fatalf("got %d %q, want a google.rpc.Status: %v", r.status, r.body, err)
	}
	if r.status != code {
		t.Errorf("got status %d, want %d: %s", r.status, code, r.body)
	}
	want.check(t, status.ErrorProto(s))
}
