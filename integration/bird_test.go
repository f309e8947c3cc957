package integration

import (
	"regexp"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// bird shows everything. Volatile is when it learned a route.
var bird = router{kind: "bird", volatile: regexp.MustCompile(`\d\d:\d\d:\d\d\.\d{3}`)}

// TestBird and TestBirdImports: the scenarios of all routers with BIRD.
func TestBird(t *testing.T)        { newWorld(t).learns(bird) }
func TestBirdImports(t *testing.T) { newWorld(t).imports(bird) }

// TestBirdConfig: BIRD understands the configuration that users are given, and
// would not accept just anything.
func TestBirdConfig(t *testing.T) {
	w := newWorld(t)
	needs(t, "bird")
	if err := lab.CheckBirdConfig(w.deadline(), "../configs/gateways/bird.conf"); err != nil {
		t.Error(err)
	}
	broken := w.changed("../configs/gateways/bird.conf", "peer table", "peer tables")
	if err := lab.CheckBirdConfig(w.deadline(), broken); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("got %v, want what it did not understand", err)
	}
}
