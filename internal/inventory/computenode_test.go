package inventory

import (
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

func TestCreateComputeNode(t *testing.T) {
	w := newWorld(t)
	w.planned("IPv4", node(cmp1, "10.0.0.11"),
		`put node/computeNodes/cmp1@0 {"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":""}`,
		`put nodeaddr/10.0.0.11@0 computeNodes/cmp1`,
		`put routerid/10.0.0.11@0 computeNodes/cmp1`)
	w.planned("IPv6", CreateComputeNode{ComputeNode{
		Name: cmp1, Address: addr("2001:db8::11"), RouterID: addr("10.0.0.11"), Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP), Liveness: DefaultLiveness}},
		`put node/computeNodes/cmp1@0 {"name":"computeNodes/cmp1","address":"2001:db8::11","router_id":"10.0.0.11","encapsulations":"udp"}`,
		`put nodeaddr/2001:db8::11@0 computeNodes/cmp1`,
		`put routerid/10.0.0.11@0 computeNodes/cmp1`)
}

// nodeRefusals are what CreateComputeNode and UpdateComputeNode refuse alike.
var nodeRefusals = []struct {
	name              string
	address, routerID netip.Addr
	want              Error
}{
	{"zone", addr("fe80::1%eth0"), addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 10.0.0.11, got fe80::1%eth0"}},
	{"mapped", addr("::ffff:10.0.0.12"), addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 10.0.0.11, got ::ffff:10.0.0.12"}},
	{"multicast", addr("224.0.0.5"), addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 10.0.0.11, got 224.0.0.5"}},
	{"unspecified", addr("::"), addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 10.0.0.11, got ::"}},
	{"broadcast", addr("255.255.255.255"), addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 10.0.0.11, got 255.255.255.255"}},
	{"no address", netip.Addr{}, addr("10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected an IPv4 or IPv6 address, for example 10.0.0.11"}},
	{"no router id", addr("2001:db8::12"), netip.Addr{},
		Error{InvalidArgument, ReasonInvalid, "router_id", "", "a compute node with an IPv6 address needs one: expected an IPv4 address that no other compute node has"}},
	{"IPv6 router id", addr("10.0.0.12"), addr("2001:db8::12"),
		Error{InvalidArgument, ReasonInvalid, "router_id", "", "expected an IPv4 address, for example 10.0.0.11, got 2001:db8::12"}},
	{"router id 0.0.0.0", addr("10.0.0.12"), addr("0.0.0.0"),
		Error{InvalidArgument, ReasonInvalid, "router_id", "", "expected an IPv4 address, for example 10.0.0.11, got 0.0.0.0"}},
	{"address taken", addr("10.0.0.11"), addr("10.0.0.12"),
		Error{AlreadyExists, ReasonAddressTaken, "address", cmp1, "10.0.0.11 is the address of computeNodes/cmp1"}},
	{"router id taken", addr("10.0.0.12"), addr("10.0.0.1"),
		Error{AlreadyExists, ReasonRouterIDTaken, "router_id", cmp1, "10.0.0.1 is the router id of computeNodes/cmp1; equal ones would make two routes one"}},
}

func TestComputeNodeRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(CreateComputeNode{ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.1")}})
	for _, tt := range nodeRefusals {
		w.refused(tt.name, CreateComputeNode{ComputeNode{Name: cmp2, Address: tt.address, RouterID: tt.routerID}}, tt.want)
	}
	w.refused("exists", node(cmp1, "10.0.0.12"),
		Error{AlreadyExists, ReasonExists, "name", cmp1, "computeNodes/cmp1 exists"})
	w.refused("name", node("cmp2", "10.0.0.12"),
		Error{InvalidArgument, ReasonInvalid, "name", "", `expected computeNodes/NAME, got "cmp2"`})
	// The router id that the address would give is somebody's.
	w.refused("implied router id", node(cmp2, "10.0.0.1"),
		Error{AlreadyExists, ReasonRouterIDTaken, "router_id", cmp1, "10.0.0.1 is the router id of computeNodes/cmp1; equal ones would make two routes one"})

	w.do(node(cmp2, "10.0.0.20"))
	for _, tt := range nodeRefusals {
		w.refused(tt.name, UpdateComputeNode{Name: cmp2, Address: &tt.address, RouterID: &tt.routerID}, tt.want)
	}
	const unknown = "computeNodes/none"
	w.refused("update unknown", UpdateComputeNode{Name: unknown},
		Error{NotFound, ReasonNotFound, "name", unknown, "computeNodes/none does not exist"})
	w.refused("delete unknown", DeleteComputeNode{unknown},
		Error{NotFound, ReasonNotFound, "name", unknown, "computeNodes/none does not exist"})
}

func TestUpdateComputeNode(t *testing.T) {
	w := newWorld(t)
	w.do(node(cmp1, "10.0.0.11"))
	w.planned("nothing", UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.11"))},
		`put node/computeNodes/cmp1@2 {"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":""}`)
	// The router id stays: it is what makes the routes the same ones.
	w.planned("address", UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.12"))},
		`put node/computeNodes/cmp1@2 {"name":"computeNodes/cmp1","address":"10.0.0.12","router_id":"10.0.0.11","encapsulations":""}`,
		`delete nodeaddr/10.0.0.11@any`,
		`put nodeaddr/10.0.0.12@0 computeNodes/cmp1`)
	w.planned("all", UpdateComputeNode{Name: cmp1, Address: ptr(addr("2001:db8::11")), RouterID: ptr(addr("10.0.0.1")), Encapsulations: ptr(vrf.NewEncapsulations(vrf.GRE))},
		`put node/computeNodes/cmp1@2 {"name":"computeNodes/cmp1","address":"2001:db8::11","router_id":"10.0.0.1","encapsulations":"gre"}`,
		`delete nodeaddr/10.0.0.11@any`,
		`put nodeaddr/2001:db8::11@0 computeNodes/cmp1`,
		`delete routerid/10.0.0.11@any`,
		`put routerid/10.0.0.1@0 computeNodes/cmp1`)
	// What was given up can be taken.
	w.do(UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.12")), RouterID: ptr(addr("10.0.0.12"))}, node(cmp2, "10.0.0.11"))
}

func TestDeleteComputeNode(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), node(cmp2, "10.0.0.12"),
		allocate(web, public, "203.0.113.5"), allocate(mail, public, "203.0.113.4"),
		associate(web, cmp1, "tap0", 100), associate(mail, cmp1, "tap1", 101))
	w.refused("in use", DeleteComputeNode{cmp1},
		Error{FailedPrecondition, ReasonInUse, "name", mail, "computeNodes/cmp1 is in use by " + mail + ", " + web})
	w.planned("free", DeleteComputeNode{cmp2},
		`delete node/computeNodes/cmp2@4`,
		`delete nodeaddr/10.0.0.12@any`,
		`delete routerid/10.0.0.12@any`,
		`none above iface/cmp2/@8`,
		`none above resting/cmp2/@8`)
	w.do(Disassociate{Name: web}, Disassociate{Name: mail}, DeleteComputeNode{cmp1}, node(cmp1, "10.0.0.11"))
}
