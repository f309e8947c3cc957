package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Every method has a rule, and each of its rules leads to it.
func TestEveryMethodOverHTTP(t *testing.T) {
	rules := httpRules()
	for m := range apiMethods {
		if m.IsStreamingClient() {
			continue // HTTP/1 has no such thing
		}
		if !slices.ContainsFunc(rules, func(r httpRule) bool { return r.method == m }) {
			t.Errorf("%s has no google.api.http rule: add one in %s and run make proto", m.FullName(), m.ParentFile().Path())
		}
	}
	var called string
	conn, err := grpc.NewClient("passthrough:///nowhere", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(_ context.Context, method string, _, _ any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, _ ...grpc.CallOption) error {
			called = method
			return errors.New("called")
		}),
		grpc.WithStreamInterceptor(func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, method string, _ grpc.Streamer, _ ...grpc.CallOption) (grpc.ClientStream, error) {
			called = method
			return nil, errors.New("called")
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	gateway, err := newGateway(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		service := string(r.method.Parent().FullName())
		want := "/" + service + "/" + string(r.method.Name())
		body := ""
		if r.body != "" {
			body = "{}"
		}
		called = ""
		answer := httptest.NewRecorder()
		gateway.ServeHTTP(answer, httptest.NewRequest(r.verb, example(r.path), strings.NewReader(body)))
		if called != want {
			t.Errorf("%s %s: got a call of %q (%s), want %s: is %s registered in newGateway?", r.verb, r.path, called, answer.Body, want, service)
		}
	}
}

// example is a path that a rule has: {name=projects/*/networks/*} becomes
// projects/x/networks/x.
func example(path string) string {
	path = regexp.MustCompile(`\{[^=}]*=([^}]*)\}`).ReplaceAllString(path, "$1")
	return strings.ReplaceAll(path, "*", "x")
}

// The document has every path and method of the rules, and is served.
func TestOpenAPI(t *testing.T) {
	l := newLab(t)
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
		}
		Definitions map[string]struct{ Properties map[string]any }
	}
	r := l.http(t, "GET", "/openapi.json", "")
	if err := json.Unmarshal([]byte(r.body), &document); err != nil || r.status != http.StatusOK {
		t.Fatalf("got %d, %v, want a document", r.status, err)
	}
	got := map[string]bool{}
	variable := regexp.MustCompile(`\{[^}]*\}`)
	for path, operations := range document.Paths {
		for verb, o := range operations {
			got[strings.ToUpper(verb)+" "+variable.ReplaceAllString(path, "x")] = true
			for _, p := range o.Parameters {
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s has a parameter %s that is not in its path", o.OperationID, p.Name)
				}
			}
		}
	}
	for _, rule := range httpRules() {
		if key := rule.verb + " " + example(rule.path); !got[key] {
			t.Errorf("%s is not in the document: run make proto", key)
		}
	}
	if _, ok := document.Definitions["FloatingIP"].Properties["state_reason"]; !ok {
		t.Error("FloatingIP has no property state_reason")
	}
}

const fips = "/v1/projects/default/floatingIps"

func TestLifeOverHTTP(t *testing.T) {
	l := newLab(t).furnish(t)
	expect := func(what string, answer map[string]any, want map[string]any) {
		t.Helper()
		for field, value := range want {
			if got := answer[field]; got != value {
				t.Errorf("%s: %s: got %v, want %v", what, field, got, value)
			}
		}
	}
	const name = "projects/default/floatingIps/web-2"
	expect("tried", l.ok(t, "POST", "/v1/floatingIps", `{"name": "`+name+`", "network": "`+public+`", "validate_only": true}`),
		map[string]any{"name": name, "state": "ALLOCATED"})
	l.http(t, "GET", "/v1/"+name, "").refused(t, http.StatusNotFound, notFound("name", name))

	allocate := `{"name": "` + name + `", "network": "` + public + `", "address": "203.0.113.20", "request_id": "r1"}`
	expect("allocate", l.ok(t, "POST", "/v1/floatingIps", allocate),
		map[string]any{"name": name, "address": "203.0.113.20", "state": "ALLOCATED", "scope": "NETWORK", "pool": "", "direction": "BOTH"})
	expect("allocate again", l.ok(t, "POST", "/v1/floatingIps", allocate), map[string]any{"address": "203.0.113.20"})

	answer := l.ok(t, "POST", "/v1/"+name+":associate", `{"association": {"compute_node": "`+cmp1+`", "interface": "tap7", "fixed_ip": "10.47.255.7", "label": 107}}`)
	association, _ := answer["associations"].([]any)[0].(map[string]any)
	expect("associate", association, map[string]any{"compute_node": cmp1, "label": 107., "preferred": false})

	// The body of PATCH says which fields, unless update_mask does.
	answer = l.ok(t, "PATCH", "/v1/"+name+"?validate_only=false", `{"direction": "EGRESS", "port_mappings": [{"protocol": "tcp", "port": 80, "fixed_port": 8080}]}`)
	expect("patch", answer, map[string]any{"direction": "EGRESS"})
	old := answer["etag"].(string)
	expect("patch with a mask", l.ok(t, "PATCH", "/v1/"+name+"?update_mask=port_mappings&etag="+old, `{"direction": "INGRESS"}`), map[string]any{"direction": "EGRESS"})
	answer = l.ok(t, "GET", "/v1/"+name, "")
	if got := answer["port_mappings"]; len(got.([]any)) != 0 {
		t.Errorf("get: got port mappings %v, want none", got)
	}
	l.http(t, "PATCH", "/v1/"+name+"?etag="+old, `{"direction": "BOTH"}`).is(t, http.StatusConflict, codes.Aborted, "ETAG_DIFFERS")

	if got := len(l.ok(t, "GET", fips, "")["floating_ips"].([]any)); got != 4 {
		t.Errorf("list: got %d, want 4", got)
	}
	page := l.ok(t, "GET", "/v1/floatingIps?page_size=3&network="+public, "")
	rest := l.ok(t, "GET", "/v1/floatingIps?page_size=3&network="+public+"&page_token="+page["next_page_token"].(string), "")
	if got := len(rest["floating_ips"].([]any)); got != 1 {
		t.Errorf("second page: got %d, want 1", got)
	}

	l.http(t, "DELETE", "/v1/"+name, "").is(t, http.StatusBadRequest, codes.FailedPrecondition, "RESOURCE_IN_USE")
	l.ok(t, "POST", "/v1/"+name+":disassociate", "")
	if got := l.ok(t, "DELETE", "/v1/"+name+"?request_id=r2", ""); len(got) != 0 {
		t.Errorf("release: got %v, want {}", got)
	}
	l.ok(t, "DELETE", "/v1/"+name+"?request_id=r2", "")
	l.http(t, "DELETE", "/v1/"+name, "").refused(t, http.StatusNotFound, notFound("name", name))
}

// What comes over HTTP is what comes over gRPC: the same JSON as of buoyctl.
func TestFormOverHTTP(t *testing.T) {
	l := newLab(t).furnish(t)
	got := l.http(t, "GET", "/v1/"+web1, "").body
	want, err := asJSON.Marshal(call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, part := range []string{`"fixed_ip":"10.47.255.249"`, `"namespace":""`, `"port_mappings":[]`, `"state":"PENDING"`} {
		if !strings.Contains(got, part) {
			t.Errorf("got %s, want %s in it", got, part)
		}
	}
}
