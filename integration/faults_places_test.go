package integration

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/api/computenode"
	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
)

// addressFaults are those of addresses, pools and projects.
func addressFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	w.served()
	w.ctl("create pool closed --network vn-public --range 203.0.113.16-203.0.113.31")
	return w, []fault{
		{name: "no network has the address", inject: func() {},
			ask: "explain 203.0.114.5", cause: "known", truth: "no network has 203.0.114.5 > look at the address again: the nearest subnets are 203.0.113.0/24 of vn-public"},
		{name: "the pool is not shared with the project", inject: func() {}, mend: w.does("set pool closed --share-with shop"),
			ask: "explain 203.0.113.20", cause: "allocated", truth: "the pool is not shared: only project default can take it"},
		{name: "the address is outside the pool", inject: func() {},
			ask: "explain 203.0.113.40 --project shop", cause: "known", truth: "203.0.113.40 is outside what is shared with project shop: projects/default/networks/vn-public/pools/closed has 203.0.113.16/28"},
		{name: "the address is reserved", inject: func() {},
			ask: "explain 203.0.113.254", cause: "pool", truth: "203.0.113.254 is reserved for the gateway of 203.0.113.0/24"},
		{name: "nobody has associated it", inject: w.does("disassociate floatingip web-1"), mend: w.associate,
			ask: "explain web-1", cause: "associated", truth: "is not associated with a compute node"},
		{name: "the pool is used up", inject: w.does("create pool small --network vn-public --range 203.0.113.40/31", "allocate floatingip a --pool small", "allocate floatingip b --pool small"),
			mend: w.does("set pool small --range 203.0.113.40/29"),
			ask:  "doctor", cause: "pool_full", truth: "2 of its 2 addresses are taken: nobody can draw from it"},
	}
}

// nodeFaults are those of a compute node with an agent, which goes through a relay.
func nodeFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	w.served()
	relay := w.relay(w.buoyd.Nodes())
	n := w.node(computenode.Config{Server: relay.address()})
	must(t, n.Report(up("tap0")))
	n.Complete()
	w.ctl("set computenode cmp1 --liveness session --hold-time 3 --stale-time 0")
	w.isWell("the agent's start")
	report := func(list ...*buoyv1.ComputeInterface) func() { return func() { must(t, n.Report(list...)) } }
	return w, []fault{
		{name: "the interface is down", inject: report(down("tap0")), mend: report(up("tap0")),
			ask: "explain web-1", cause: "interface", truth: "tap0 of computeNodes/cmp1 is down: no carrier"},
		{name: "the interface has another name on the compute node", inject: func() { must(t, n.Forget("tap0")); must(t, n.Report(up("tap1"))) }, mend: report(up("tap0")),
			ask: "explain web-1", cause: "interface", truth: "computeNodes/cmp1 has not reported tap0 > look at the agent of cmp1: the workload may not run there, or the interface may have another name"},
		{name: "the compute node is drained", inject: w.does("drain computenode cmp1 --wait 0"), mend: w.does("undrain computenode cmp1"),
			ask: "explain web-1", cause: "compute_node", truth: "computeNodes/cmp1 is drained > buoyctl undrain computenode cmp1"},
		{name: "the compute node is draining", inject: w.does("drain computenode cmp1 --wait 1h"), mend: w.does("undrain computenode cmp1"),
			ask: "explain web-1", cause: "compute_node !", truth: "computeNodes/cmp1 is draining: gateways choose other routes"},
		{name: "the compute node goes silent", inject: relay.freeze, mend: relay.thaw,
			ask: "explain web-1", cause: "compute_node", truth: "computeNodes/cmp1 is down: the stream was silent for 3s"},
	}
}

// clusterFaults are those of a second cluster, whose routes a GoBGP announces.
func clusterFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	w.served()
	g := w.peer("mx2", vpnFamilies)
	same := w.origin(g.Config(), 7, "203.0.113.5/32", "10.0.9.9", "target:64512:10003")
	rd, err := routetarget.ParseDistinguisher("10.0.0.11:1")
	must(t, err)
	same.RD = rd
	label := w.origin(g.Config(), 7, "198.51.100.7/32", "10.0.0.11", "target:64512:10003")
	label.Label = 100
	announce := func(r lab.Route) func() { return func() { w.announce(g, r) } }
	withdraw := func(r lab.Route) func() { return func() { w.withdraw(g, r) } }
	return w, []fault{
		{name: "a second cluster announces the same RD and prefix", inject: announce(same), mend: withdraw(same),
			ask: "doctor", cause: "foreign_route", truth: "10.0.0.11:1:203.0.113.5/32 with next hop 10.0.9.9 label 24007; ours has next hop 10.0.0.11 label 100"},
		{name: "a second cluster gives out the same label", inject: announce(label), mend: withdraw(label),
			ask: "doctor", cause: "label_clash", truth: "with next hop 10.0.0.11 label 100, which is that of tap0 at computeNodes/cmp1: packets for both go there"},
	}
}

// diskFaults are those of the disk with the store.
func diskFaults(t *testing.T) (*world, []fault) {
	w := newWorld(t)
	folder := w.folder("disk")
	disk, err := lab.NewDisk(w.deadline(), folder, 64<<20)
	if errors.Is(err, lab.ErrNeedsRoot) {
		cannot(t, err.Error())
	}
	must(t, err)
	t.Cleanup(func() { disk.Close() })
	w.buoyd = lab.NewBuoyd(programs, lab.BuoydConfig{Dir: w.folder("on-disk"), AS: ourAS, RouterID: netip.MustParseAddr("10.0.0.2"), Listen: w.net.Host(1), Disk: disk})
	w.writeConfig(strings.Replace(w.buoyd.YAML(), w.buoyd.StoreFile(), folder+"/buoy.db", 1))
	w.served()
	return w, []fault{
		{name: "the disk with the store is full", inject: func() { must(t, disk.Fill(w.deadline())) },
			mend: func() { must(t, disk.Clear(w.deadline())) },
			ask:  "doctor", cause: "store_full", truth: "are free, and the file grows by 16 MiB > make room there"},
		{name: "the disk with the store fails, and is read-only", inject: func() { must(t, disk.Break(w.deadline())) },
			mend: func() { w.buoyd.Kill(); must(t, disk.Repair(w.deadline())); w.restart() },
			ask:  "doctor", cause: "store_read_only", truth: "/buoy.db is read-only: nothing can be changed"},
	}
}
