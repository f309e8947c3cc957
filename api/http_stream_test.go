package api

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// A watch is a message on each line, as it happens, for as long as the client
// wants it.
func TestWatchOverHTTP(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	resp, err := overHTTP(t, l.socket).Get("http://buoy/v1/routes:watch?network=" + private)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "application/x-ndjson" {
		t.Errorf("got %d, Content-Type %q, want 200, application/x-ndjson", resp.StatusCode, got)
	}
	lines := bufio.NewScanner(resp.Body)
	next := func() (destination, token string) {
		t.Helper()
		var line struct {
			Result struct {
				Destination struct{ Prefix string }
				Bookmark    struct {
					ResumeToken string `json:"resume_token"`
				}
			}
		}
		if !lines.Scan() {
			t.Fatalf("got the end, %v, want a line", lines.Err())
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("got %q, want an object: %v", lines.Text(), err)
		}
		return line.Result.Destination.Prefix, line.Result.Bookmark.ResumeToken
	}
	var got []string
	token := ""
	for token == "" {
		destination := ""
		if destination, token = next(); destination != "" {
			got = append(got, destination)
		}
	}
	if slices.Sort(got); !slices.Equal(got, []string{"0.0.0.0/0", "2001:db8:1::/48"}) {
		t.Errorf("got %q, want what the table has", got)
	}
	l.changes.add(2, "0.0.0.0/0")
	if destination, _ := next(); destination != "0.0.0.0/0" {
		t.Errorf("got %q, want the change", destination)
	}
}

func TestWatchRefusedOverHTTP(t *testing.T) {
	l := newLab(t).furnish(t)
	for name, tt := range map[string]struct {
		query, project string
		code           int
		reason         string
	}{
		"no network":  {"?network=projects/default/networks/nope", "", 404, "RESOURCE_NOT_FOUND"},
		"not visible": {"?network=" + public, "dev", 404, "RESOURCE_NOT_FOUND"},
		"token":       {"?resume_token=yesterday", "", 400, "INVALID_FIELD"},
		"unknown":     {"?resumetoken=yesterday", "", 400, "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if tt.project != "" {
				headers = []string{projectHeader, tt.project}
			}
			r := l.http(t, "GET", "/v1/routes:watch"+tt.query, "", headers...)
			if r.status != tt.code || !strings.Contains(r.body, `"reason":"`+tt.reason+`"`) || strings.Count(r.body, "\n") != 1 {
				t.Errorf("got %d %s, want %d and %s on one line", r.status, r.body, tt.code, tt.reason)
			}
		})
	}
}

// A stream ends with the server, and says why.
func TestWatchOverHTTPEndsWithTheServer(t *testing.T) {
	l := newLab(t).furnish(t).imports(t)
	resp, err := overHTTP(t, l.socket).Get("http://buoy/v1/routes:watch?network=" + private)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begin := time.Now()
	l.stopServer()
	text, err := io.ReadAll(resp.Body)
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); err != nil || !strings.HasPrefix(lines[len(lines)-1], `{"error":{"code":14,`) {
		t.Errorf("got %q, %v, want UNAVAILABLE on the last line", text, err)
	}
	if took := time.Since(begin); took > grace {
		t.Errorf("the stream took %s to end, want less than %s", took, grace)
	}
	if _, err := buoyv1.NewRoutesClient(l.conn).ListRoutes(t.Context(), &buoyv1.ListRoutesRequest{}); err == nil {
		t.Error("the server still answers")
	}
}

// A stream may be silent for longer than any other answer may take.
func TestSilentStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := bufconn.Listen(1 << 10)
		web := newWeb(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				time.Sleep(time.Hour)
				io.WriteString(w, "x")
				http.NewResponseController(w).Flush()
			}
		}), slog.New(slog.DiscardHandler))
		go web.Serve(pipe)
		defer web.Close()
		conn, err := pipe.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != "xxx" || err != nil {
			t.Errorf("got %q, %v, want all of it", got, err)
		}
	})
}
