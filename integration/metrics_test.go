package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/buoynet/buoy/internal/lab"
)

// metered is a world whose buoyd serves metrics.
type metered struct {
	*world
	url string
}

func newMetered(t *testing.T) *metered {
	t.Helper()
	w := newWorld(t)
	addr := w.host().String()
	w.buoyd = lab.NewBuoyd(programs, lab.BuoydConfig{
		Dir: w.folder("metered"), AS: ourAS, RouterID: netip.MustParseAddr("10.0.0.2"), Listen: w.net.Host(1), Metrics: addr,
	})
	return &metered{w, "http://" + addr}
}

// get returns what is served at a path.
func (w *metered) get(path string) string {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.deadline(), "GET", w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s, %v\n%s", path, response.Status, err, body)
	}
	return string(body)
}

// scrape returns the metrics by name, and as they were sent.
func (w *metered) scrape() (families map[string]*dto.MetricFamily, text string) {
	w.t.Helper()
	text = w.get("/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return families, text
}

// valueOf returns the value of the series with exactly these labels, or the count of a
// histogram.
func valueOf(families map[string]*dto.MetricFamily, name string, labels ...string) (float64, error) {
	for _, m := range families[name].GetMetric() {
		var have []string
		for _, l := range m.Label {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		if strings.Join(have, " ") == strings.Join(labels, " ") {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()), nil
		}
	}
	return 0, fmt.Errorf("no %s with %q", name, labels)
}

// list returns what buoyctl lists.
func (w *metered) list(line string) (list []map[string]any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.ctl(line+" -o json")), &list); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// TestMetrics: with a real gateway, what is scraped is what the API says; the names in
// the rules and in the dashboard are real ones, and promtool has nothing to say.
func TestMetrics(t *testing.T) {
	w := newMetered(t)
	w.start()
	w.public()
	w.ctl("create pool few --network vn-public --range 203.0.113.64-203.0.113.73")
	w.ctl("allocate floatingip few-1 --pool few")
	w.ctl("create neighbor mx2 --address 127.255.255.254 --as 64512 --passive")
	g := w.router("gobgp", "mx1")
	w.associate()
	w.announce(g.(lab.Originator), w.origin(g.Config(), 7, "198.51.100.0/24", "10.0.0.9", "target:64512:10003"),
		w.origin(g.Config(), 8, "198.51.101.0/24", "10.0.0.9", "target:64512:9"))

	const network = "projects/default/networks/vn-public"
	var families map[string]*dto.MetricFamily
	var text string
	w.eventually("the metrics say what the API says", func(context.Context) error {
		advertised, received := w.list("get routes --neighbor mx1 --direction advertised"), w.list("get routes --neighbor mx1 --direction received")
		states := map[string]float64{}
		for _, f := range w.list("get floatingips") {
			states[strings.ToLower(f["state"].(string))]++
		}
		pool := w.list("get pools")[0]
		session := w.list("get neighbors")[0]["session"].(map[string]any)
		families, text = w.scrape()
		for _, want := range []struct {
			value  any
			name   string
			labels []string
		}{
			{1, "buoy_neighbor_established", []string{"neighbor=mx1"}},
			{5, "buoy_neighbor_state", []string{"neighbor=mx1"}},
			{0, "buoy_neighbor_established", []string{"neighbor=mx2"}},
			{2, "buoy_neighbor_state", []string{"neighbor=mx2"}},
			{1, "buoy_neighbor_sessions_total", []string{"neighbor=mx1"}},
			{0, "buoy_neighbor_flaps_total", []string{"neighbor=mx1"}},
			{1, "buoy_neighbor_routes", []string{"direction=advertised", "neighbor=mx1"}},
			{len(advertised), "buoy_neighbor_routes", []string{"direction=advertised", "neighbor=mx1"}},
			{2, "buoy_neighbor_routes", []string{"direction=received", "neighbor=mx1"}},
			{len(received), "buoy_neighbor_routes", []string{"direction=received", "neighbor=mx1"}},
			{0, "buoy_neighbor_stale_routes", []string{"neighbor=mx1"}},
			{session["sent"].(map[string]any)["updates"], "buoy_neighbor_messages_total", []string{"direction=sent", "neighbor=mx1", "type=update"}},
			{session["received"].(map[string]any)["updates"], "buoy_neighbor_messages_total", []string{"direction=received", "neighbor=mx1", "type=update"}},
			{0, "buoy_neighbor_queue_routes", []string{"neighbor=mx1"}},
			{1, "buoy_network_routes", []string{"direction=advertised", "network=" + network}},
			{1, "buoy_network_routes", []string{"direction=imported", "network=" + network}},
			{1, "buoy_routes", nil},
			{pool["used"], "buoy_pool_used_addresses", []string{"pool=" + network + "/pools/few"}},
			{1, "buoy_pool_used_addresses", []string{"pool=" + network + "/pools/few"}},
			{pool["total"], "buoy_pool_addresses", []string{"pool=" + network + "/pools/few"}},
			{10, "buoy_pool_addresses", []string{"pool=" + network + "/pools/few"}},
			{1, "buoy_floatingips", []string{"state=advertised"}},
			{states["advertised"], "buoy_floatingips", []string{"state=advertised"}},
			{2, "buoy_floatingips", []string{"state=allocated"}},
			{states["allocated"], "buoy_floatingips", []string{"state=allocated"}},
			{1, "buoy_computenodes", []string{"state=vouched"}},
			{1, "buoy_computenode_floatingips", []string{"computenode=cmp1"}},
			{1, "buoy_commit_to_wire_seconds", nil}, // the one change after the session's beginning
		} {
			got, err := valueOf(families, want.name, want.labels...)
			if err != nil {
				return err
			}
			if fmt.Sprint(got) != fmt.Sprint(want.value) {
				return fmt.Errorf("%s %q is %v; the API says %v", want.name, want.labels, got, want.value)
			}
		}
		return nil
	})
	if n, err := valueOf(families, "buoy_store_commits_total", "outcome=ok"); err != nil || n < 7 {
		t.Errorf("%v commits, %v", n, err)
	}
	if index := w.get("/"); !strings.Contains(index, `href="/metrics"`) {
		t.Errorf("the index has no link: %s", index)
	}

	// What a compute node that needs a stream adds, so that every metric is there.
	w.ctl("create computenode cmp2 --address 10.0.0.12 --liveness session")
	families, text = w.scrape()
	if state, err := valueOf(families, "buoy_computenode_state", "computenode=cmp2"); state != 0 || err != nil {
		t.Errorf("cmp2: %v, %v", state, err)
	}
	t.Run("names", func(t *testing.T) { checkNames(t, families) })
	t.Run("promtool", func(t *testing.T) { checkWithPromtool(t, text) })
}

var (
	ownName    = regexp.MustCompile(`\bbuoy_[a-z0-9_]+`)
	othersName = regexp.MustCompile(`\b(go|process)_[a-z0-9_]+`)
)

// checkNames compares the names in files with those that are served.
func checkNames(t *testing.T, families map[string]*dto.MetricFamily) {
	served := map[string]bool{}
	for name, f := range families {
		served[name] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			served[name+"_bucket"], served[name+"_sum"], served[name+"_count"] = true, true, true
		}
	}
	for _, file := range []string{"../configs/grafana/buoy.json", "../configs/prometheus/buoy.rules.yml", "../configs/prometheus/buoy.rules.test.yml", "../docs/metrics.md"} {
		text := read(t, file)
		if strings.HasSuffix(file, ".json") && !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON", file)
		}
		found := append(ownName.FindAllString(text, -1), othersName.FindAllString(text, -1)...)
		if len(found) < 15 {
			t.Errorf("%s has only %d names", file, len(found))
		}
		for _, name := range found {
			if !served[name] {
				t.Errorf("%s: %s is not served", file, name)
			}
		}
	}
	documented, shown := read(t, "../docs/metrics.md"), read(t, "../configs/grafana/buoy.json")
	for name := range families {
		if own := strings.HasPrefix(name, "buoy_"); own && !strings.Contains(documented, "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		} else if own && !regexp.MustCompile(name+`(_bucket)?\b`).MatchString(shown) {
			t.Errorf("%s is in no panel", name)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkWithPromtool has Prometheus's own tool look at the rules, their tests, the example
// and a scrape, and parse the queries of the dashboard.
func checkWithPromtool(t *testing.T, scrape string) {
	promtool := filepath.Join(filepath.Dir(programs.Buoyctl), "promtool")
	if _, err := os.Stat(promtool); err != nil {
		if promtool, err = exec.LookPath("promtool"); err != nil {
			cannot(t, "promtool is not there: make deps takes it out of Debian's package prometheus")
		}
	}
	queries := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(queries, []byte(dashboardAsRules(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "buoy.rules.yml"}, {"test", "rules", "buoy.rules.test.yml"},
		{"check", "metrics"}, {"check", "rules", "--lint=none", queries},
	} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = "../configs/prometheus"
		cmd.Stdin = strings.NewReader(scrape)
		if out, err := cmd.CombinedOutput(); err != nil || args[1] == "metrics" && len(out) > 0 {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}

// dashboardAsRules writes each query of the dashboard as a rule, which promtool parses.
func dashboardAsRules(t *testing.T) string {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Type string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../configs/grafana/buoy.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	if list := dashboard.Templating.List; len(list) == 0 || list[0].Type != "datasource" {
		t.Errorf("the dashboard has no variable for the data source: %+v", list)
	}
	text := "groups:\n  - name: dashboard\n    rules:\n"
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expr, err := json.Marshal(strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprintf("      - {record: query, expr: %s}\n", expr)
		}
	}
	return text
}
