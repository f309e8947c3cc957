package integration

import (
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestMainJob: an associated floating IP is at the gateway as exactly the
// route that it should be, and nothing else is.
func TestMainJob(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")

	w.associate()
	w.wantVPN(g, lab.VPNv4, web1)
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	w.wantVPN(g, lab.VPNv6)

	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	w.wantVPN(g, lab.VPNv6, web6)
	w.wantVRF(g, "red", lab.VPNv6, web6InVRF)
	w.wantVPN(g, lab.VPNv4, web1)

	w.ctl("disassociate floatingip web-1")
	w.wantVPN(g, lab.VPNv4)
	w.wantVRF(g, "red", lab.VPNv4)
	w.wantVPN(g, lab.VPNv6, web6)
	w.ctl("release floatingip web-1")
}

// TestIPv6ComputeNode: the tunnel address is the next hop of both families;
// the router id is that of the distinguisher.
func TestIPv6ComputeNode(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp6 --address 2001:db8:1::11 --router-id 10.0.0.12 --encapsulation udp")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.ctl("associate floatingip web-1 --computenode cmp6 --interface tap0 --fixed-ip 10.47.255.249 --label 100")
	w.ctl("associate floatingip web-6 --computenode cmp6 --interface tap0 --fixed-ip fd00::5 --label 100")

	const rest = "local-pref 100 origin incomplete as-path []"
	const communities = " target:64512:10003 target:64512:8000001 encapsulation:udp"
	w.wantVPN(g, lab.VPNv4, "10.0.0.12:1:203.0.113.5/32 label 100 next-hop 2001:db8:1::11 "+rest+communities)
	w.wantVPN(g, lab.VPNv6, "10.0.0.12:1:2001:db8:f::5/128 label 100 next-hop 2001:db8:1::11 "+rest+communities)
	w.wantVRF(g, "red", lab.VPNv4, "10.0.0.12:1:203.0.113.5/32 next-hop 2001:db8:1::11 "+rest)
	w.wantVRF(g, "red", lab.VPNv6, "10.0.0.12:1:2001:db8:f::5/128 next-hop 2001:db8:1::11 "+rest)
}

// TestNextHopOnTheWire: VPNv6 with an IPv4 next hop goes out as an IPv4-mapped
// address (RFC 4659 §3.2.1.2), which no router's table shows.
func TestNextHopOnTheWire(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	r := w.recorder("rec")
	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	for _, want := range []string{
		"+ " + web1,
		"+ 10.0.0.11:1:2001:db8:f::5/128 label 100 next-hop ::ffff:10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp",
	} {
		if _, err := r.WaitFor(w.deadline(), want); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoComputeNodes: one floating IP on two compute nodes is two routes, and
// the preferred one has the higher LOCAL_PREF.
func TestTwoComputeNodes(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp2 --address 10.0.0.12")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.associate()
	w.ctl("associate floatingip web-1 --computenode cmp2 --interface tap7 --fixed-ip 10.47.255.250 --label 200 --preferred")

	const web1At2 = "10.0.0.12:1:203.0.113.5/32 label 200 next-hop 10.0.0.12 local-pref 200 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre"
	w.wantVPN(g, lab.VPNv4, web1, web1At2)
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF, "10.0.0.12:1:203.0.113.5/32 next-hop 10.0.0.12 local-pref 200 origin incomplete as-path []")

	w.ctl("disassociate floatingip web-1 --computenode cmp1")
	w.wantVPN(g, lab.VPNv4, web1At2)
	w.ctl("disassociate floatingip web-1 --interface tap7")
	w.wantVPN(g, lab.VPNv4)
}

// TestExternalGateway: in another AS the next hop is still the compute node;
// what is for our own AS only is not sent (RFC 4271 §5.1.5).
func TestExternalGateway(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	config.AS = 64999
	g := w.gateway(config)
	w.neighbor("mx1", config)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVPN(g, lab.VPNv4, "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 origin incomplete as-path [64512] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp")
	w.wantVRF(g, "red", lab.VPNv4, "10.0.0.11:1:203.0.113.5/32 next-hop 10.0.0.11 origin incomplete as-path [64512]")
}
