package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
)

// is compares the essentials of a refusal.
func (r reply) is(t testing.TB, code int, want codes.Code, reason string) {
	t.Helper()
	s := &spb.Status{}
	if err := protojson.Unmarshal([]byte(r.body), s); err != nil {
		t.Fatalf("got %d %q, want a google.rpc.Status: %v", r.status, r.body, err)
	}
	info := &errdetails.ErrorInfo{}
	for _, d := range s.Details {
		if d.MessageIs(info) {
			d.UnmarshalTo(info)
		}
	}
	if r.status != code || codes.Code(s.Code) != want || info.Reason != reason {
		t.Errorf("got %d %s %q, want %d %s %q: %s", r.status, codes.Code(s.Code), info.Reason, code, want, reason, r.body)
	}
}

func TestRefusedOverHTTP(t *testing.T) {
	l := newLab(t).furnish(t)
	invalid := func(field, text string) refusal {
		return refusal{codes.InvalidArgument, "INVALID_FIELD", field, "", text}
	}
	const node = `{"name": "computeNodes/new", "address": "10.0.0.99"}`
	for name, tt := range map[string]struct {
		method, path, body string
		code               int
		want               refusal
	}{
		"no path": {"GET", "/v1/clouds", "", 404,
			refusal{code: codes.NotFound, text: "there is no /v1/clouds; GET /openapi.json lists what there is"}},
		"no method": {"PUT", "/v1/" + cmp1, "{}", 405,
			refusal{code: codes.Unimplemented, text: "/v1/computeNodes/cmp1 has no PUT; GET /openapi.json lists what there is"}},
		"method in a header": {"POST", "/v1/" + cmp1, "", 405,
			refusal{code: codes.Unimplemented, text: "/v1/computeNodes/cmp1 has no POST; GET /openapi.json lists what there is"}},
		"bad name": {"GET", "/v1/computeNodes/No%20Such", "", 404, notFound("name", "computeNodes/No Such")},
		"unknown field": {"POST", "/v1/computeNodes", `{"name": "computeNodes/new", "adress": "10.0.0.99"}`, 400,
			invalid("body", `(line 1:30): unknown field "adress"`)},
		"unknown field of *": {"POST", "/v1/floatingIps", `{"name": "x", "validate_onyl": true}`, 400,
			invalid("body", `(line 1:15): unknown field "validate_onyl"`)},
		"twice":    {"POST", "/v1/computeNodes", `{"name": "a", "name": "b"}`, 400, invalid("body", `(line 1:15): duplicate field "name"`)},
		"two":      {"POST", "/v1/computeNodes", node + node, 400, invalid("body", fmt.Sprintf("syntax error (line 1:%d): unexpected token {", len(node)+1))},
		"list":     {"POST", "/v1/computeNodes", "[]", 400, invalid("body", "syntax error (line 1:1): unexpected token [")},
		"not JSON": {"POST", "/v1/computeNodes", "name=x", 400, invalid("body", "syntax error (line 1:1): invalid value name")},
		"cut":      {"POST", "/v1/computeNodes", `{"name": `, 400, invalid("body", "unexpected EOF")},
		"wrong type": {"POST", "/v1/computeNodes", `{"label_hold_down": -1}`, 400,
			invalid("body", `(line 1:21): invalid value for uint32 field labelHoldDown: -1`)},
		"enum":    {"PATCH", "/v1/" + web1, `{"direction": "UP"}`, 400, invalid("body", `(line 1:15): invalid value for enum field direction: "UP"`)},
		"nothing": {"POST", "/v1/computeNodes", "", 400, invalid("name", "expected computeNodes/NAME, got \"\"")},
		"unknown in query": {"POST", "/v1/computeNodes?validate_onyl=true", node, 400,
			invalid("validate_onyl", "expected some of request_id, validate_only")},
		"the body's in query": {"POST", "/v1/computeNodes?compute_node.address=10.0.0.9", node, 400,
			invalid("compute_node.address", "expected some of request_id, validate_only")},
		"the path's in query": {"DELETE", "/v1/" + cmp1 + "?name=" + cmp2, "", 400,
			invalid("name", "expected some of request_id, validate_only, etag")},
		"query of *":   {"POST", "/v1/floatingIps?validate_only=true", `{"name": "` + web1 + `"}`, 400, invalid("validate_only", "expected it in the body")},
		"query of get": {"GET", "/v1/" + cmp1 + "?view=full", "", 400, invalid("view", "expected no query")},
		"bad in query": {"DELETE", "/v1/" + cmp1 + "?validate_only=maybe", "", 400,
			invalid("query", `parsing field "validate_only": strconv.ParseBool: parsing "maybe": invalid syntax`)},
		"twice in query": {"DELETE", "/v1/" + cmp1 + "?etag=a&etag=b", "", 400, invalid("query", `too many values for field "etag": a, b`)},
		"bad query":      {"GET", "/v1/routes?table=%zz", "", 400, invalid("query", `invalid URL escape "%zz"`)},
		"body of delete": {"DELETE", "/v1/" + cmp1, `{"validate_only": true}`, 400,
			invalid("body", "expected none; the query may have request_id, validate_only, etag")},
		"body of get": {"GET", "/v1/" + cmp1, "{}", 400, invalid("body", "expected none")},
		"name that is not the path's": {"PATCH", "/v1/" + cmp1, `{"name": "` + cmp2 + `"}`, 400,
			invalid("update_mask", `expected some of address, router_id, encapsulations, label_range, label_hold_down, liveness, hold_time, stale_time, drained, got "name"`)},
		"exists": {"POST", "/v1/computeNodes", `{"name": "` + cmp1 + `", "address": "10.0.0.99"}`, 409,
			refusal{codes.AlreadyExists, "RESOURCE_EXISTS", "name", cmp1, cmp1 + " exists"}},
	} {
		t.Run(name, func(t *testing.T) {
			l.http(t, tt.method, tt.path, tt.body, "X-HTTP-Method-Override", "DELETE").refused(t, tt.code, tt.want)
		})
	}
	l.ok(t, "GET", "/v1/"+cmp1, "")
}

// The header Buoy-Project is the metadata of gRPC.
func TestProjectOverHTTP(t *testing.T) {
	l := tenants(t, true)
	if got := len(l.ok(t, "GET", "/v1/networks", "")["networks"].([]any)); got != 3 {
		t.Errorf("the operator: got %d networks, want 3", got)
	}
	if got := len(l.ok(t, "GET", "/v1/networks", "", "buoy-project", "dev")["networks"].([]any)); got != 1 {
		t.Errorf("dev: got %d networks, want its own", got)
	}
	l.http(t, "GET", "/v1/"+secretFIP, "", projectHeader, "dev").refused(t, 404, notFound("name", secretFIP))
	l.http(t, "POST", "/v1/daemon:shutdown", "{}", projectHeader, "dev").is(t, 403, codes.PermissionDenied, "OPERATORS_ONLY")
	for name, headers := range map[string][]string{
		"empty":      {projectHeader, ""},
		"two":        {projectHeader, "dev", projectHeader, "ops"},
		"a list":     {projectHeader, "dev, ops"},
		"upper case": {projectHeader, "DEV"},
		"not ASCII":  {projectHeader, "dév"},
	} {
		t.Run(name, func(t *testing.T) {
			l.http(t, "GET", "/v1/networks", "", headers...).is(t, 400, codes.InvalidArgument, "INVALID_FIELD")
		})
	}
	// Other headers never become metadata.
	if got := len(l.ok(t, "GET", "/v1/networks", "", "Grpc-Metadata-Buoy-Project", "dev")["networks"].([]any)); got != 3 {
		t.Errorf("got %d networks, want 3", got)
	}
}

func TestLargeOverHTTP(t *testing.T) {
	l := newLab(t)
	for what, length := range map[string]int64{"declared": maxBody + 1, "in chunks": -1} {
		req, err := http.NewRequest("POST", "http://buoy/v1/computeNodes", io.LimitReader(blanks{}, maxBody+1))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		resp, err := overHTTP(t, l.socket).Do(req)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		reply{resp.StatusCode, resp.Header, string(text)}.is(t, 413, codes.InvalidArgument, "INVALID_FIELD")
	}
	// Larger than gRPC allows by default.
	node := `{"name": "computeNodes/new", "address": "10.0.0.99"` + strings.Repeat(" ", 5<<20) + "}"
	l.ok(t, "POST", "/v1/computeNodes", node)
	var batch strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&batch, `%s{"name": "projects/default/floatingIps/a-floating-ip-with-a-long-name-%06d"}`, []string{"", ","}[min(i, 1)], i)
	}
	l.http(t, "POST", "/v1/floatingIps:batchAllocate", `{"requests": [`+batch.String()+`]}`).refused(t, 400,
		refusal{codes.InvalidArgument, "INVALID_FIELD", "requests", "", "expected 1 to 10000, got 100000"})

	if got := l.http(t, "GET", "/v1/networks", "", "X-Long", strings.Repeat("x", 2*maxHeader)).status; got != 431 {
		t.Errorf("a long header: got %d, want 431", got)
	}
}

// blanks are as many as somebody reads.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A web page that a browser of this machine shows changes and learns nothing.
func TestBrowser(t *testing.T) {
	listeners, err := Listen(endpoint{"tcp", "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, newServer(), listeners)
	port := listeners[0].Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		method, host string
		header       []string
		want         int
	}{
		{"GET", fmt.Sprintf("127.0.0.1:%d", port), nil, 404},
		{"GET", fmt.Sprintf("localhost:%d", port), nil, 404},
		{"GET", "[::1]", nil, 404},
		{"HEAD", "localhost", nil, 404},
		{"GET", fmt.Sprintf("evil.example:%d", port), nil, 421},
		{"GET", "10.0.0.1", nil, 421},
		{"POST", "localhost", []string{"Origin", "http://evil.example"}, 403},
		{"POST", "localhost", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", "localhost", []string{"Sec-Fetch-Site", "none"}, 404},
	} {
		req, err := http.NewRequest(tt.method, fmt.Sprintf("http://127.0.0.1:%d/v1/nothing", port), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		if tt.header != nil {
			req.Header.Set(tt.header[0], tt.header[1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s %q: got %d, want %d", tt.method, tt.host, tt.header, resp.StatusCode, tt.want)
		}
	}
}
