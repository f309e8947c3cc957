package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// examine returns an examination, and the ids of what is not well.
func (l *lab) examine(t testing.TB) (*buoyv1.Examination, []string) {
	t.Helper()
	e := call(t, l.examinations.Examine, &buoyv1.ExamineRequest{})
	var ids []string
	for _, f := range e.Findings {
		if f.Severity != buoyv1.Finding_INFO {
			ids = append(ids, f.Id)
		}
	}
	return e, ids
}

// An examination is the same over gRPC and HTTP, for the operator alone, and logs nothing.
func TestExamine(t *testing.T) {
	l := newLab(t).furnish(t)
	l.sessions(neighbor.Established, neighbor.Established)
	l.log.reset()
	if e, ids := l.examine(t); !e.Healthy || len(ids) > 0 || len(e.Examined) != 10 || e.Examined[8].Text != "3 floating IPs: 2 advertised, 0 pending, 0 withheld, 1 not associated" {
		t.Errorf("got %v", e)
	}
	l.sessions(neighbor.Established, neighbor.Active)
	e, ids := l.examine(t)
	if len(ids) != 1 || e.Healthy {
		t.Fatalf("got %v", e)
	}
	equal(t, "finding", e.Findings[0], &buoyv1.Finding{Id: "session_down", Severity: buoyv1.Finding_WARNING, Area: "sessions", Subject: mx1,
		Cause: "mx1 is Active ()", Remedy: e.Findings[0].Remedy, Since: timestamp(taken), Count: 1})
	over := l.ok(t, "GET", "/v1/doctor", "")
	if over["healthy"] != false || over["summary"] != "unhealthy: 1 warning" {
		t.Errorf("over HTTP: got %v", over)
	}
	_, err := l.examinations.Examine(as(t.Context(), "default"), &buoyv1.ExamineRequest{})
	refusal{codes.PermissionDenied, "OPERATORS_ONLY", "", "", "only the operator may do this, and the request is for project default"}.check(t, err)
	if l.log.String() != "" {
		t.Errorf("log: got %s, want nothing: nothing was changed", l.log)
	}
}

// What the daemon says of its machine is what is examined.
func TestExamineMachine(t *testing.T) {
	l := newLab(t).furnish(t)
	l.sessions(neighbor.Established, neighbor.Established)
	l.machine.Store(&doctor.Machine{Now: time.Now(), Disk: doctor.Disk{Path: "buoy.db", Failure: errors.New("no space left on device"), Failing: taken}})
	if e, ids := l.examine(t); !slices.Equal(ids, []string{"store_failing"}) || !e.Findings[0].Since.AsTime().Equal(taken) {
		t.Errorf("got %v", e)
	}
}

// An examination counts as withheld, and as pending, exactly the floating IPs that are so,
// and what it says of one is what explains it.
func TestExamineAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	l := newLab(t).furnish(t)
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{
		ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 102}})
	seen := map[string]int{}
	for i := range 400 {
		l.drainAny(t, random)
		l.disturb(random)
		e, ids := l.examine(t)
		counted := map[buoyv1.FloatingIP_State]uint64{}
		for _, f := range e.Findings {
			switch f.Id {
			case "floating_ip_withheld", "route_refused", "target_unwanted", "route_not_sent":
				counted[buoyv1.FloatingIP_WITHHELD] += f.Count
			case "route_pending", "no_gateway":
				counted[buoyv1.FloatingIP_PENDING] += f.Count
			}
		}
		unreachable, states := false, map[buoyv1.FloatingIP_State]uint64{}
		for _, name := range []string{web1, web6, idle} {
			f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name})
			states[f.State]++
			x := call(t, l.explanations.Explain, &buoyv1.ExplainRequest{FloatingIp: name})
			unreachable = unreachable || len(f.Associations) > 0 && !x.Healthy && f.State != buoyv1.FloatingIP_PENDING
		}
		for _, s := range []buoyv1.FloatingIP_State{buoyv1.FloatingIP_WITHHELD, buoyv1.FloatingIP_PENDING} {
			if counted[s] != states[s] {
				t.Fatalf("round %d: %d are %s, found were %d: %v", i, states[s], s, counted[s], e)
			}
		}
		if unreachable && e.Healthy {
			t.Fatalf("round %d: something cannot be reached, and nothing is wrong: %v", i, e)
		}
		down := 0
		for n := range l.follower.State().Neighbors() {
			if shown := call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: n.ResourceName()}); shown.State != buoyv1.Neighbor_ESTABLISHED {
				down++
			}
		}
		if got := len(slices.DeleteFunc(ids, func(id string) bool { return id != "session_down" })); got != down {
			t.Fatalf("round %d: %d sessions are down, found were %d: %v", i, down, got, e)
		}
		seen[fmt.Sprint(states, e.Healthy)]++
	}
	if len(seen) < 6 {
		t.Errorf("seen: %v", seen)
	}
}

// drainAny drains some compute nodes and puts others back into service.
func (l *lab) drainAny(t *testing.T, random *rand.Rand) {
	t.Helper()
	for _, node := range []string{cmp1, cmp2} {
		switch random.IntN(6) {
		case 0:
			call(t, l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: node, Wait: uint32(random.IntN(2)) * 1000})
		case 1, 2:
			call(t, l.computeNodes.UndrainComputeNode, &buoyv1.UndrainComputeNodeRequest{Name: node})
		}
	}
}

// disturb makes something wrong with what the speaker and the compute nodes say.
func (l *lab) disturb(random *rand.Rand) {
	l.speaker.mu.Lock()
	l.speaker.refused, l.speaker.withheld, l.speaker.unwanted = map[string]error{}, map[string]bool{}, map[string]bool{}
	l.speaker.waiting = random.IntN(6) == 0
	for _, key := range []string{web1Key, "10.0.0.12:1:203.0.113.5/32", web6Key} {
		switch random.IntN(8) {
		case 0:
			l.speaker.refused[key] = errors.New("no room")
		case 1:
			l.speaker.withheld[key] = true
		}
	}
	l.speaker.sessions = nil
	for _, name := range []string{"fixed", "mx1"} {
		l.speaker.unwanted[name] = random.IntN(5) == 0
		families := [][]neighbor.Family{{neighbor.InetVPN}, {neighbor.Inet6VPN}, {neighbor.InetVPN, neighbor.Inet6VPN}}[random.IntN(3)]
		switch random.IntN(5) {
		case 0:
		case 1:
			l.speaker.sessions = append(l.speaker.sessions, session(name, neighbor.State(random.IntN(5)), "some reason"))
		default:
			l.speaker.sessions = append(l.speaker.sessions, session(name, neighbor.Established, "", families...))
		}
	}
	l.speaker.mu.Unlock()
	l.life.mu.Lock()
	defer l.life.mu.Unlock()
	l.life.nodes = map[string]inventory.NodeLife{}
	l.life.interfaces[inventory.Place{ComputeNode: cmp1, Interface: "tap0"}] = inventory.InterfaceLife{
		InterfaceReport: inventory.InterfaceReport{Name: "tap0", State: inventory.InterfaceState(random.IntN(4))}}
}
