package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuide: what docs/integrating.md shows works as it says, in its order. A
// block "sh" is run, with the functions of those before; the block "text"
// behind it is what it prints.
func TestGuide(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl: as root, make deps installs it")
	}
	guide, err := os.ReadFile("../docs/integrating.md")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.start()
	w.ctl("create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003")
	w.ctl("create pool pool-public --network vn-public --range 203.0.113.10-203.0.113.99")
	w.ctl("create computenode cmp1 --address 10.0.0.11 --encapsulation gre,udp")
	w.importVRF(w.peer("mx1", allFamilies), "red", "target:64512:10003")

	block := regexp.MustCompile("(?ms)^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?")
	functions := ""
	ran := 0
	for _, b := range block.FindAllStringSubmatch(string(guide), -1) {
		script, want := b[1], b[2]
		got, err := w.shell(functions + script)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, got)
		}
		if got != want {
			t.Errorf("this:\n%s\nprinted\n%s\nwant\n%s", script, got, want)
		}
		functions += functionsIn(script)
		ran++
	}
	if ran < 4 {
		t.Errorf("got %d blocks in the guide, want more", ran)
	}
}

// shell runs a script as a user would who has buoyctl in the PATH.
func (w *world) shell(script string) (stdout string, err error) {
	cmd := exec.CommandContext(w.deadline(), "sh", "-eu", "-c", script)
	cmd.Env = append(os.Environ(), "BUOY_SERVER="+w.buoyd.Server(), "PATH="+filepath.Dir(programs.Buoyctl)+":"+os.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// functionsIn returns the functions that a script defines.
func functionsIn(script string) string {
	function := regexp.MustCompile(`(?ms)^\w+\(\) \{\n.*?^\}\n`)
	return strings.Join(function.FindAllString(script, -1), "")
}
