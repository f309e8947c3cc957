package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

// examination is what the tests read of doctor -o json.
type examination struct {
	Healthy  bool
	Findings []struct{ ID, Severity, Subject, Cause, Remedy string }
	Examined []struct{ Area, Severity, Text string }
}

// examines asks the doctor once. Its exit status says the same as its answer.
func (w *world) examines() (e examination, err error) {
	r := w.try("doctor -o json")
	if err := json.Unmarshal([]byte(r.Stdout), &e); err != nil {
		return e, fmt.Errorf("%s%s: %w", r.Stdout, r.Stderr, err)
	}
	if want := map[bool]int{true: 0, false: 7}[e.Healthy]; r.Code != want {
		return e, fmt.Errorf("exit status %d, want %d", r.Code, want)
	}
	return e, nil
}

// ails waits until the doctor finds exactly these things, as severity and id, that are not
// well, and something with a text.
func (w *world) ails(text string, want ...string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("the doctor finds %v: %s", want, text), func(context.Context) error {
		e, err := w.examines()
		if err != nil {
			return err
		}
		var got []string
		told := text == ""
		for _, f := range e.Findings {
			if f.Severity == "INFO" {
				continue
			}
			got = append(got, f.Severity+" "+f.ID)
			told = told || strings.Contains(f.Subject+": "+f.Cause+" > "+f.Remedy, text)
		}
		if !told || fmt.Sprint(got) != fmt.Sprint(want) || e.Healthy != (len(want) == 0) || len(e.Examined) != 10 {
			return fmt.Errorf("%+v", e)
		}
		return nil
	})
}

// TestDoctor: with real gateways, what is injected is named, and mended again all is well.
func TestDoctor(t *testing.T) {
	needs(t, "frr")
	w := newWorld(t)
	w.start()
	w.ails("")
	w.public()
	w.ails("")
	w.associate()
	w.ails("no neighbor is configured", "ERROR no_gateway")

	g := w.routerOf("frr", w.gatewayConfig("mx1", vpnFamilies))
	w.ctl(strings.Replace(strings.Join(g.Config().CreateNeighbor("mx1"), " "), "--as 64512", "--as 64999", 1))
	w.ails("buoyctl set neighbor mx1 --as 64512", "ERROR no_gateway", "ERROR session_down")
	w.ctl("set neighbor mx1 --as 64512")
	w.ails("")

	w.ctl("drain computenode cmp1 --wait 0")
	w.ails("computeNodes/cmp1: 1 floating IP is withheld: computeNodes/cmp1 is drained > buoyctl undrain computenode cmp1", "ERROR floating_ip_withheld")
	w.ctl("undrain computenode cmp1")
	w.ails("")

	w.ctl("set computenode cmp1 --liveness session")
	w.ails("it has had no stream", "ERROR compute_node_down", "ERROR floating_ip_withheld", "WARNING no_agent")
	w.ctl("set computenode cmp1 --liveness none")
	w.ails("")

	w.ctl("create pool small --network vn-public --range 203.0.113.40/31")
	w.ctl("allocate floatingip a --pool vn-public/small")
	w.ails("")
	w.ctl("allocate floatingip b --pool vn-public/small")
	w.ails("2 of its 2 addresses are taken", "WARNING pool_full")
	w.ctl("set pool vn-public/small --range 203.0.113.40/29")
	w.ails("")

	w.typesAt(g.(*lab.FRR), "neighbor PEER shutdown")()
	w.ails("the session was shut down on the router: enable it there", "ERROR no_gateway", "ERROR session_down")

	// Another gateway asks for nothing, until a VRF of it imports the target.
	asks := w.peer("mx2", allFamilies)
	w.ails("let a VRF of the router import one of target:64512:10003", "ERROR target_unwanted", "WARNING session_down")
	w.importVRF(asks, "red", "target:64512:10003")
	w.ails("Administrative Shutdown", "WARNING session_down")
	w.typesAt(g.(*lab.FRR), "no neighbor PEER shutdown")()
	w.ails("")

	// Somebody else announces the same VPN route to elsewhere.
	foreign := w.origin(asks.Config(), 7, "203.0.113.5/32", "10.9.9.9", "target:64512:10003")
	var err error
	if foreign.RD, err = routetarget.ParseDistinguisher("10.0.0.11:1"); err != nil {
		t.Fatal(err)
	}
	w.announce(asks, foreign)
	w.ails("next hop 10.9.9.9", "WARNING foreign_route")
	w.withdraw(asks, foreign)
	w.ails("")
}

// TestDoctorMachine: what a restart would do, and where the store is.
func TestDoctorMachine(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.ails("")
	text := w.buoyd.YAML()
	w.writeConfig(text + "nosuch: 1\n")
	w.ails("unknown key nosuch", "WARNING configuration_invalid")
	w.writeConfig(strings.Replace(text, "as: 64512", "as: 64600", 1))
	w.ails("the store belongs to AS 64512, and the configuration says 64600", "WARNING restart_refused")
	w.writeConfig(text + "log:\n  level: debug\n")
	w.ails("")
	if e, err := w.examines(); err != nil || !strings.Contains(fmt.Sprint(e), "a restart would change 1 key of the configuration: log.level: info → debug") {
		t.Errorf("%v: %+v", err, e)
	}
	w.writeConfig(text)
	w.ails("")

	store := w.buoyd.StoreFile()
	if err := os.Rename(store, store+".away"); err != nil {
		t.Fatal(err)
	}
	w.ails("a start would not find it", "ERROR store_missing")
	if err := os.Rename(store+".away", store); err != nil {
		t.Fatal(err)
	}
	w.ails("")
	r := w.try("doctor")
	if r.Code != 0 || !strings.HasPrefix(r.Stdout, "healthy") || !strings.Contains(r.Stdout, "✓ store ") || strings.ContainsAny(r.Stdout, "✗!") {
		t.Errorf("exit status %d\n%s", r.Code, r.Stdout)
	}
}
