package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// When all is well nothing is found, and it is said what was looked at.
func TestWell(t *testing.T) {
	x := Examine(newWorld(t).Snapshot)
	var b strings.Builder
	for _, e := range x.Examined {
		fmt.Fprintf(&b, "%d %s %s\n", e.Severity, e.Area, e.Text)
	}
	want := `0 configuration 1 network, 2 neighbors; a restart would change nothing
0 clock the kernel says that it is synchronised
0 ports BGP on 0.0.0.0:179; compute nodes on 0.0.0.0:50052
0 store /var/lib/buoy/buoy.db has 3 MiB; 40 GiB are free
0 sessions 2 of 2 sessions established
0 targets 1 network with floating IPs at compute nodes; no gateway with a session leaves all targets of one unwanted
0 pools 1 pool, none 90 % full
0 compute_nodes 2 compute nodes, of which 0 must have a stream
0 floating_ips 1 floating IP: 1 advertised, 0 pending, 0 withheld, 0 not associated
0 routes 0 routes from neighbors; none has the key or the label of one of ours
`
	if !x.Healthy || x.Summary != "healthy as far as Buoy can see" || len(x.Findings) > 0 || b.String() != want {
		t.Errorf("%s\n%sgot\n%swant\n%s", x.Summary, text(x.Findings), b.String(), want)
	}
}

// Each thing that can be wrong is found, alone, and nothing else is.
func TestEveryFinding(t *testing.T) {
	up := inventory.NodeLife{State: inventory.NodeUp, Since: downtime}
	lacks := func(check neighbor.Check, reason string) func(*world) {
		return func(w *world) {
			w.deliveries["mx1"] = neighbor.Delivery{Reason: reason, Check: check}
			w.deliveries["mx2"] = w.deliveries["mx1"]
		}
	}
	session := func(do func(s *neighbor.Status)) func(*world) {
		return func(w *world) { do(w.Snapshot.Sessions["mx1"]) }
	}
	machine := func(do func(m *Machine)) func(*world) { return func(w *world) { do(&w.Machine) } }
	disk := func(d Disk) func(*world) {
		d.Path = "buoy.db"
		return machine(func(m *Machine) { m.Disk = d })
	}
	taken := func(n int) func(*world) {
		return func(w *world) {
			for i := range n {
				w.do(inventory.Allocate{Name: fmt.Sprintf("projects/p/floatingIps/x%d", i), Pool: poolA})
			}
		}
	}
	for name, tt := range map[string]struct {
		but  func(*world)
		want string // of all findings
	}{
		"invalid": {machine(func(m *Machine) { m.Configuration = Configured{Problem: "f.yaml:1: unknown key x"} }),
			"! configuration configuration_invalid buoyd: the daemon would not start again: its configuration has become invalid: f.yaml:1: unknown key x > correct it; buoyd config check --config FILE says whether it is valid"},
		"changed": {machine(func(m *Machine) {
			m.Configuration.Changes = []string{"a: 1 → 2", "b: 1 → 2", "c: 1 → 2", "d: 1 → 2"}
		}),
			"i configuration configuration_changed buoyd: a restart would change 4 keys of the configuration: a: 1 → 2; b: 1 → 2; c: 1 → 2; and 1 more > restart the daemon if that is wanted: nothing is reloaded 4 [a: 1 → 2 b: 1 → 2 c: 1 → 2]"},
		"another AS": {machine(func(m *Machine) { m.Configuration.AS = 64600 }),
			"! configuration restart_refused buoyd: the daemon would not start again: the store belongs to AS 64512, and the configuration says 64600 > set bgp.as to 64512 in the configuration, or run buoyctl set global --as 64600"},
		"families": {func(w *world) {
			six := neighbor.NewFamilies(neighbor.Inet6VPN)
			w.set(inventory.UpdateNeighbor{Name: mx1, Families: &six})
		}, "! configuration neighbor_family neighbors/mx1: mx1 is configured for inet6-vpn, and no network has floating IPs in these; they are in inet-vpn > buoyctl set neighbor mx1 --families inet-vpn,inet6-vpn"},
		"key": {machine(func(m *Machine) { m.Keys = map[string]error{"mx1": errors.New("open mx1.key: no such file")} }),
			"! configuration key_unreadable neighbors/mx1: the MD5 key of mx1 cannot be read any more, and the next session needs it: open mx1.key: no such file > make the key readable for the daemon; it is read again every second"},

		"unsynchronised": {machine(func(m *Machine) { m.Kernel = Unsynchronised }),
			"i clock clock_unsynchronised buoyd: the kernel says that the clock is not synchronised: times in logs and answers may be wrong > run chrony, or another NTP client"},
		"before the last run": {machine(func(m *Machine) { m.LastRun = noon.Add(time.Hour) }),
			"! clock clock_before_last_run buoyd: the clock says 2026-03-01 12:00:00Z, which is before the last run ended, at 2026-03-01 13:00:00Z > set the clock; a start that looks earlier than the last run is no restart, and gateways drop routes until they are sent again"},
		"jumped": {machine(func(m *Machine) { m.Running = 2 * time.Hour }),
			"i clock clock_jumped buoyd: the clock was set by -1h0m0s since the daemon was started: times of what was before are off by that > nothing, if it is right now; labels that rested may have been given out too early, or rest longer"},

		"passive": {func(w *world) {
			w.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:179")}
			passive := true
			w.set(inventory.UpdateNeighbor{Name: mx1, Passive: &passive})
			w.lost("mx1", neighbor.CauseWaiting, "waiting for the neighbor to connect")
		}, `! ports unreachable_port neighbors/mx1: mx1 has to connect to us (--passive), and from 10.0.0.1 it can reach none of 127.0.0.1:179 > let bgp.listen have an address that the router can reach, and restart the daemon; or let Buoy connect: buoyctl set neighbor mx1 --passive=false
! sessions session_down neighbors/mx1: mx1 is Active (waiting for the neighbor to connect) > check that the router has us as a neighbor and connects; without --passive Buoy connects itself @11:00`},
		"no socket": {func(w *world) { w.watched(cmp2, inventory.NodeLife{}); w.NodeSockets = nil },
			`✗ ports no_node_socket buoyd: 1 compute node must have a stream (liveness session), and there is no socket for them > set compute_nodes.listen in the configuration and restart the daemon, or buoyctl set computenode NAME --liveness none
! compute_nodes compute_node_down computeNodes/cmp2: computeNodes/cmp2 is down: it has had no stream; floating IPs there: 0 > look at the agent of cmp2 and its way to Buoy; without one: buoyctl set computenode cmp2 --liveness none`},
		"no agent": {func(w *world) { w.watched(cmp2, inventory.NodeLife{Reason: "silent", Since: downtime}) },
			`! ports no_agent buoyd: 1 compute node must have a stream (liveness session), and no agent is connected to 0.0.0.0:50052 > look at the agents, their way to that socket and their certificates
! compute_nodes compute_node_down computeNodes/cmp2: computeNodes/cmp2 is down: silent; floating IPs there: 0 > look at the agent of cmp2 and its way to Buoy; without one: buoyctl set computenode cmp2 --liveness none @11:00`},
		"expires": {machine(func(m *Machine) { m.Certificates[0].NotAfter = noon.AddDate(0, 0, 13) }),
			"! ports certificate_expiring buoyd: nodes.crt of compute_nodes expires in 13 days, on 2026-03-14 > renew it: the file is read anew when it changes"},
		"expires later": {machine(func(m *Machine) { m.Certificates[0].NotAfter = noon.AddDate(0, 0, 14) }), ""},
		"expired": {machine(func(m *Machine) { m.Certificates[0].NotAfter = downtime }),
			"✗ ports certificate_expired buoyd: nodes.crt of compute_nodes has expired, on 2026-03-01: no compute node can connect any more > renew it: the file is read anew when it changes @11:00"},

		"store fails": {disk(Disk{Failure: errNo, Failing: downtime}),
			"✗ store store_failing buoyd: the last change could not be written to buoy.db: no > look at the disk; nothing can be changed until it takes writes again @11:00"},
		"store is gone": {disk(Disk{Problem: "stat buoy.db: no such file"}),
			"✗ store store_missing buoyd: the store cannot be looked at, and a start would not find it: stat buoy.db: no such file > buoyctl export -o yaml writes down what the daemon still knows; then put the file back"},
		"read-only": {disk(Disk{Sealed: true}),
			"✗ store store_read_only buoyd: the file system of buoy.db is read-only: nothing can be changed > look at the kernel's log, and mount it for writing"},
		"full": {disk(Disk{Total: 100 * mib, Free: growth - 1}),
			"✗ store store_full buoyd: the file system of buoy.db is full: 15 MiB are free, and the file grows by 16 MiB > make room there"},
		"nearly full": {disk(Disk{Total: 1000 * mib, Free: 99 * mib}),
			"! store store_nearly_full buoyd: the file system of buoy.db is nearly full: 99 MiB of 1000 MiB are free > make room there"},
		"small": {disk(Disk{Total: 200 * mib, Free: 50 * mib}), ""},
		"large": {disk(Disk{Total: 1 << 50, Free: little}), ""},

		"session": {func(w *world) { w.lost("mx1", neighbor.CauseConnectionRefused, "connection refused") },
			"! sessions session_down neighbors/mx1: mx1 is Active (connection refused) > nothing listens there: check that BGP runs on the router, and on port 179 @11:00"},
		"set up": {func(w *world) { delete(w.Snapshot.Sessions, "mx1") }, "! sessions session_down neighbors/mx1: mx1 is being set up > ask again in a moment"},
		"kept": {func(w *world) {
			w.lost("mx1", neighbor.CauseQuarantined, "quarantined")
			w.Snapshot.Sessions["mx1"].Stale = 7
		}, "! sessions neighbor_quarantined neighbors/mx1: mx1 is Active (quarantined); 7 routes of it are kept as stale > look at the router's log and version, and report the crash in the daemon's log; a change of the neighbor's settings or a restart of the daemon lets it in again @11:00"},
		"stopped": {func(w *world) { w.lost("mx1", neighbor.CauseMaxReceived, "too many") },
			"! sessions max_received_stopped neighbors/mx1: mx1 is Active (too many) > raise --max-received of mx1, or narrow --accept-prefix or --accept-target; any change of its settings, or a restart of the daemon, lets it in again @11:00"},
		"lacks what is needed": {session(func(s *neighbor.Status) {
			s.OpenReceived = &neighbor.Open{Families: neighbor.NewFamilies(neighbor.Inet6VPN, neighbor.RouteTarget)}
		}),
			"! sessions session_lacks neighbors/mx1: mx1: the neighbor does not offer inet-vpn; it offers inet6-vpn, route-target > enable inet-vpn for this session on the router, if its routes are wanted"},
		"lacks what is not": {session(func(s *neighbor.Status) {
			s.OpenReceived = &neighbor.Open{Families: neighbor.NewFamilies(neighbor.InetVPN)}
		}),
			"i sessions session_lacks neighbors/mx1: mx1: the neighbor does not offer inet6-vpn,route-target; it offers inet-vpn > enable inet6-vpn,route-target for this session on the router, if its routes are wanted"},
		"too many": {session(func(s *neighbor.Status) { s.Left = 3 }),
			"! sessions session_lacks neighbors/mx1: mx1: the neighbor announces more than the maximum of 100000 routes: 3 left out > raise --max-received of mx1, or narrow --accept-prefix or --accept-target; the routes come when its session is opened anew"},
		"maximum": {session(func(s *neighbor.Status) { s.MaxReached, s.Advertised = true, 12 }),
			"! sessions max_advertised neighbors/mx1: mx1 has the 12 routes that it may have at most; others are withheld from it > buoyctl set neighbor mx1 --max-advertised N, with a higher N"},
		"stale": {session(func(s *neighbor.Status) { s.Stale = 2 }),
			"i sessions stale_routes neighbors/mx1: mx1 has not announced 2 routes again since its session was lost: they are kept as stale > wait: they go with its End-of-RIB, or after its restart time @11:00 2 []"},
		"flaps": {session(func(s *neighbor.Status) {
			for i := range neighbor.KeptLosses {
				s.Losses = append(s.Losses, noon.Add(time.Duration(i-9)*time.Minute))
			}
		}), "! sessions session_flaps neighbors/mx1: the session with mx1 was lost 5 times within 9m0s > buoyctl describe neighbor mx1 shows the last NOTIFICATION of each side; look at the path and at the router's log @11:51"},
		"flapped": {session(func(s *neighbor.Status) {
			for i := range neighbor.KeptLosses {
				s.Losses = append(s.Losses, noon.Add(time.Duration(i-10)*time.Minute))
			}
		}), ""},
		"malformed": {session(func(s *neighbor.Status) {
			s.Received.Malformed, s.Received.Refused = 2, 1
			s.BadMessages = []neighbor.BadMessage{{Time: downtime, Taken: true}, {Time: noon.Add(-time.Minute), Taken: true}}
		}), "! sessions malformed_messages neighbors/mx1: mx1 sends malformed messages: 2 UPDATEs > buoyctl describe neighbor mx1 shows the last ones as hex; look at the router's version @11:00 2 []"},
		"malformed once": {session(func(s *neighbor.Status) {
			s.Received.Malformed, s.Received.Refused = 1, 1
			s.BadMessages = []neighbor.BadMessage{{Time: downtime, Taken: true}, {Time: noon}}
		}), "i sessions malformed_messages neighbors/mx1: mx1 sends malformed messages: 1 UPDATE > buoyctl describe neighbor mx1 shows the last ones as hex; look at the router's version @11:00"},
		"refused before": {session(func(s *neighbor.Status) { s.Received.Refused, s.BadMessages = 1, []neighbor.BadMessage{{Time: noon}} }), ""},
		"stranger": {func(w *world) { w.Refused = neighbor.Refused{Count: 3, Address: addr("10.0.0.77"), Time: downtime} },
			"i sessions strangers buoyd: 3 connections from addresses that no neighbor has: refused, the last one from 10.0.0.77 > buoyctl create neighbor NAME --address 10.0.0.77 --as AS, if it is the router that connects from there @11:00 3 [10.0.0.77]"},

		"unwanted": {lacks(neighbor.CheckMembership, "did not ask for any of target:64512:10003"),
			"✗ targets target_unwanted projects/p/networks/public: 1 floating IP is withheld: mx1 did not ask for any of target:64512:10003, nor will 1 other neighbor have it > let a VRF of the router import one of target:64512:10003, target:64512:8000001; buoyctl gateway-config --vendor VENDOR --neighbor mx1 writes it 1 [projects/p/floatingIps/web]"},
		"unwanted by one": {func(w *world) {
			lacks(neighbor.CheckMembership, "did not ask for it")(w)
			w.lost("mx2", neighbor.CauseConnectionRefused, "connection refused")
		}, `✗ targets target_unwanted projects/p/networks/public: 1 floating IP is withheld: mx1 did not ask for it > let a VRF of the router import one of target:64512:10003, target:64512:8000001; buoyctl gateway-config --vendor VENDOR --neighbor mx1 writes it 1 [projects/p/floatingIps/web]
! sessions session_down neighbors/mx2: mx2 is Active (connection refused) > nothing listens there: check that BGP runs on the router, and on port 179 @11:00`},
		"next hop": {lacks(neighbor.CheckNextHop, "did not offer IPv6 next hops for inet-vpn (RFC 8950)"),
			"✗ floating_ips route_not_sent neighbors/mx1: 1 floating IP is withheld: mx1 did not offer IPv6 next hops for inet-vpn (RFC 8950), nor will 1 other neighbor have it > enable IPv6 next hops for inet-vpn on the router (extended next hop), or give the compute node an IPv4 address 1 [projects/p/floatingIps/web]"},

		"nearly full pool": {taken(13), ""},
		"15 of 16":         {taken(15), "! pools pool_nearly_full projects/p/networks/public/pools/a: 15 of its 16 addresses are taken > give it more: buoyctl set pool projects/p/networks/public/pools/a --range …, and the network a subnet if need be; or release floating IPs"},
		"16 of 16":         {taken(16), "! pools pool_full projects/p/networks/public/pools/a: 16 of its 16 addresses are taken: nobody can draw from it > give it more: buoyctl set pool projects/p/networks/public/pools/a --range …, and the network a subnet if need be; or release floating IPs"},

		"labels": {func(w *world) {
			w.do(inventory.UpdateComputeNode{Name: cmp1, Labels: &inventory.LabelRange{First: 100, Last: 100}})
		}, "! compute_nodes labels_nearly_used computeNodes/cmp1: 1 of its 1 labels are taken, or rest after their last use > buoyctl set computenode cmp1 --label-range FIRST-LAST, with a larger range"},
		"node is down": {func(w *world) {
			w.watched(cmp2, up)
			w.watched(cmp1, inventory.NodeLife{Reason: "silent for 30 s", Since: downtime})
		}, `✗ compute_nodes compute_node_down computeNodes/cmp1: computeNodes/cmp1 is down: silent for 30 s; floating IPs there: 1 > look at the agent of cmp1 and its way to Buoy; without one: buoyctl set computenode cmp1 --liveness none @11:00
✗ floating_ips floating_ip_withheld computeNodes/cmp1: 1 floating IP is withheld: computeNodes/cmp1 is down: silent for 30 s > look at the agent of cmp1 and its way to Buoy; without one: buoyctl set computenode cmp1 --liveness none 1 [projects/p/floatingIps/web]`},
		"node is stale": {func(w *world) {
			w.watched(cmp2, up)
			w.watched(cmp1, inventory.NodeLife{State: inventory.NodeStale, Reason: "lost", Since: downtime, Until: noon.Add(time.Minute)})
			w.interfaces["tap0"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceUp}}
		}, "! compute_nodes compute_node_stale computeNodes/cmp1: computeNodes/cmp1 has lost its stream (lost); the routes of 1 floating IP are kept until 2026-03-01 12:01:00Z > look at the agent of cmp1: buoyctl describe computenode cmp1 @11:00"},
		"drained beside another": {func(w *world) { w.at(web, cmp2, "tap2", 200); w.do(inventory.DrainComputeNode{Name: cmp1}) },
			`i compute_nodes compute_node_drained computeNodes/cmp1: computeNodes/cmp1 is drained; floating IPs there: 1 > buoyctl undrain computenode cmp1
i floating_ips association_withheld computeNodes/cmp1: 1 association is without a route, beside others of the same floating IP: computeNodes/cmp1 is drained > buoyctl undrain computenode cmp1 1 [projects/p/floatingIps/web]`},
		"drained": {func(w *world) { w.do(inventory.DrainComputeNode{Name: cmp1}) },
			`✗ floating_ips floating_ip_withheld computeNodes/cmp1: 1 floating IP is withheld: computeNodes/cmp1 is drained > buoyctl undrain computenode cmp1 1 [projects/p/floatingIps/web]
i compute_nodes compute_node_drained computeNodes/cmp1: computeNodes/cmp1 is drained; floating IPs there: 1 > buoyctl undrain computenode cmp1`},
		"draining": {func(w *world) { w.do(inventory.DrainComputeNode{Name: cmp2, Wait: time.Minute}) },
			"i compute_nodes compute_node_draining computeNodes/cmp2: computeNodes/cmp2 is draining until 2026-03-01 12:01:00Z; floating IPs there: 0 > buoyctl undrain computenode cmp2"},
		"interface beside another": {func(w *world) {
			w.at(web, cmp2, "tap2", 200)
			w.interfaces["tap2"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceUp}, DampedUntil: noon, Flaps: 6}
		}, "! floating_ips association_withheld computeNodes/cmp2: 1 association is without a route, beside others of the same floating IP: tap2 of computeNodes/cmp2 has flapped 6 times; it counts as down until 12:00:00Z > look at the workload on cmp2: its link comes and goes; it is advertised again when it stays 1 [projects/p/floatingIps/web]"},

		"nobody": {func(w *world) { w.do(inventory.DeleteNeighbor{Name: mx1}, inventory.DeleteNeighbor{Name: mx2}) },
			`✗ floating_ips no_gateway buoyd: 1 floating IP is not reachable: no neighbor is configured > buoyctl create neighbor NAME --address ADDRESS --as AS 1 [projects/p/floatingIps/web]
i configuration no_neighbor buoyd: no neighbor is configured, and so nobody to send routes to > buoyctl create neighbor NAME --address ADDRESS --as AS`},
		"nobody is there": {func(w *world) {
			w.lost("mx1", neighbor.CauseNone, "waiting")
			w.lost("mx2", neighbor.CauseNone, "waiting")
		},
			`✗ floating_ips no_gateway buoyd: 1 floating IP is not reachable: no neighbor has a session > look at the sessions 1 [projects/p/floatingIps/web]
✗ sessions session_down neighbors/mx1: mx1 is Active (waiting) > buoyctl describe neighbor mx1 shows what was seen last @11:00
✗ sessions session_down neighbors/mx2: mx2 is Active (waiting) > buoyctl describe neighbor mx2 shows what was seen last @11:00`},

		"refused": {func(w *world) { w.refused[webKey] = errNo },
			"✗ floating_ips route_refused buoyd: 1 floating IP is withheld: the speaker refused 10.0.0.11:1:203.0.113.5/32, it is tried again: no > it says what is wrong with the route; the daemon's log says since when 1 [projects/p/floatingIps/web]"},
		"refuses": {machine(func(m *Machine) { m.Problems = []string{"no room"} }),
			"✗ routes speaker_refuses buoyd: the speaker refused a change; it is tried again: no room > it says what is wrong; the daemon's log says since when"},
		"being given": {func(w *world) { w.withheld[webKey] = true },
			"i floating_ips route_pending buoyd: 1 floating IP is pending: the speaker is being given 10.0.0.11:1:203.0.113.5/32 > ask again in a moment 1 [projects/p/floatingIps/web]"},
		"foreign": {func(w *world) {
			w.announce("mx1", "10.0.0.11:1", "203.0.113.5/32", "10.9.9.9", 77, vrf.NoLoop)
			w.announce("mx1", "10.0.0.11:1", "203.0.113.5/32", "10.9.9.9", 77, vrf.OriginatorLoop) // our own, reflected
			w.announce("mx1", "10.0.0.11:9", "203.0.113.5/32", "10.9.9.9", 77, vrf.NoLoop)         // of no network
			w.announce("mx1", "10.0.0.11:1", "203.0.113.6/32", "10.9.9.9", 77, vrf.NoLoop)         // not ours
		}, "! routes foreign_route neighbors/mx1: another speaker announces 1 route with the distinguisher and prefix of ours, by way of mx1: 10.0.0.11:1:203.0.113.5/32 with next hop 10.9.9.9 label 77; ours has next hop 10.0.0.11 label 100 > find the other speaker: compute nodes of two clusters have the same router id, and their networks the same id; gateways choose one of the two routes @11:00 1 [10.0.0.11:1:203.0.113.5/32]"},
		"label clash": {func(w *world) {
			w.announce("mx1", "10.0.0.11:9", "198.51.100.7/32", "10.0.0.11", 100, vrf.NoLoop)
			w.announce("mx1", "10.0.0.11:9", "198.51.100.0/24", "::ffff:10.0.0.11", 100, vrf.NoLoop)
			w.announce("mx1", "10.0.0.11:9", "198.51.100.8/32", "10.0.0.11", 101, vrf.NoLoop)          // a label of nobody
			w.announce("mx1", "10.0.0.11:9", "198.51.100.9/32", "10.0.0.12", 100, vrf.NoLoop)          // of another node
			w.announce("mx1", "10.0.0.11:9", "198.51.100.10/32", "10.9.9.9", 100, vrf.NoLoop)          // of no node of ours
			w.announce("mx1", "10.0.0.11:9", "198.51.100.11/32", "10.0.0.11", 100, vrf.OriginatorLoop) // our own, reflected
		}, "! routes label_clash neighbors/mx1: another speaker announces 2 routes to labels of ours, by way of mx1: 10.0.0.11:9:198.51.100.7/32 with next hop 10.0.0.11 label 100, which is that of tap0 at computeNodes/cmp1: packets for both go there > find the other speaker: two clusters give out labels of one compute node; let each have a range of its own: buoyctl set computenode NAME --label-range FIRST-LAST @11:00 2 [10.0.0.11:9:198.51.100.7/32 10.0.0.11:9:198.51.100.0/24]"},
		"twin": {func(w *world) { w.announce("mx1", "10.0.0.11:1", "203.0.113.5/32", "10.0.0.11", 100, vrf.NoLoop) },
			"i routes same_route neighbors/mx1: another speaker announces 1 route with the same next hop and label as ours, by way of mx1 > nothing, if another node announces the same floating IPs on purpose @11:00 1 [10.0.0.11:1:203.0.113.5/32]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.but(w)
			x := Examine(w.Snapshot)
			if got := strings.TrimSuffix(text(x.Findings), "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			wellFormed(t, x)
		})
	}
}

// wellFormed checks what holds for every examination.
func wellFormed(t *testing.T, x Examination) {
	t.Helper()
	worst, found := Fine, map[Area]Severity{}
	for i, f := range x.Findings {
		if f.ID == "" || f.Subject == "" || f.Cause == "" || f.Remedy == "" || f.Count == 0 || f.Severity == Fine || len(f.Examples) > examples {
			t.Errorf("something is missing: %+v", f)
		}
		if i > 0 && compare(x.Findings[i-1], f) > 0 {
			t.Errorf("%s before %s", x.Findings[i-1].ID, f.ID)
		}
		worst, found[f.Area] = max(worst, f.Severity), max(found[f.Area], f.Severity)
	}
	if x.Healthy != (worst < Warning) || x.Healthy != strings.HasPrefix(x.Summary, "healthy") || len(x.Examined) != areas {
		t.Errorf("the worst is %d: %t, %s, %d areas", worst, x.Healthy, x.Summary, len(x.Examined))
	}
	found[FloatingIPs] = max(found[FloatingIPs], found[Targets])
	for _, e := range x.Examined {
		if e.Severity != found[e.Area] || e.Text == "" {
			t.Errorf("%+v, found was %d", e, found[e.Area])
		}
	}
}
