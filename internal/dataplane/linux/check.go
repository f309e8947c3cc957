package linux

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// Missing is something that the kernel must have, and has not.
type Missing struct {
	What   string
	Remedy string // a command, mostly
	Err    error  // what the kernel said; may be nil
}

func (m *Missing) Error() string {
	text := m.What + ": " + m.Remedy
	if m.Err != nil {
		text += " (" + m.Err.Error() + ")"
	}
	return text
}

func (m *Missing) Unwrap() error { return m.Err }

// platformLabels is the size of the kernel's table of labels, as large as it may be: the
// highest label of all has no place in it.
const platformLabels = 1<<20 - 1

// Check returns all that is missing, joined, each a *Missing; nil if the agent can work.
// What the kernel can do is tried in a network namespace made for that, so that nothing of
// the node's is touched. Settings of the namespace are only read.
func (k *Kernel) Check() error {
	probed := probe(k.settings)
	var missing []error
	for _, m := range probed {
		missing = append(missing, m)
	}
	if !moduleThere("mpls_gso") {
		missing = append(missing, &Missing{What: "the kernel cannot segment packets with labels (mpls_gso)", Remedy: "modprobe mpls_gso"})
	}
	return errors.Join(append(missing, k.checkSettings()...)...)
}

// checkSettings reads the sysctls that are the node's, and not of a device of ours.
func (k *Kernel) checkSettings() (missing []error) {
	want := func(name string, ok func(n int) bool, remedy string) {
		text, err := k.sysctl(name)
		if errors.Is(err, os.ErrNotExist) {
			return // said already, by what needs it
		}
		n, wrong := strconv.Atoi(text)
		if err != nil || wrong != nil || !ok(n) {
			dotted := "net." + strings.ReplaceAll(name, "/", ".")
			missing = append(missing, &Missing{What: fmt.Sprintf("%s is %q", dotted, text), Remedy: "sysctl -w " + dotted + "=" + remedy, Err: err})
		}
	}
	on := func(n int) bool { return n != 0 }
	want("mpls/platform_labels", func(n int) bool { return n >= platformLabels }, strconv.Itoa(platformLabels))
	want("ipv4/ip_forward", on, "1")
	want("ipv6/conf/all/forwarding", on, "1")
	// Strict filtering looks at where a source is reached, and that is another device.
	want("ipv4/conf/all/rp_filter", func(n int) bool { return n != 1 }, "2")
	// Errors about packets that are too big find the workload by the packet's mark.
	want("ipv4/fwmark_reflect", on, "1")
	want("ipv6/fwmark_reflect", on, "1")
	return missing
}

// moduleThere tells whether a module is loaded or built in.
func moduleThere(name string) bool {
	if _, err := os.Stat("/sys/module/" + name); err == nil {
		return true
	}
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	text, err := os.ReadFile("/lib/modules/" + unix.ByteSliceToString(u.Release[:]) + "/modules.builtin")
	return err == nil && strings.Contains(string(text), "/"+name+".ko")
}

// probe tries in a new namespace what a plan is made of.
func probe(s dataplane.Settings) []*Missing {
	result := make(chan []*Missing, 1)
	go func() {
		runtime.LockOSThread() // and never back: the thread ends, and the namespace with it
		ns, err := netns.New()
		if err != nil {
			result <- []*Missing{{What: "no new network namespace", Remedy: "run the agent as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN", Err: err}}
			return
		}
		defer ns.Close()
		k, err := open(ns, s)
		if err != nil {
			result <- []*Missing{{What: "no netlink", Remedy: "run the agent as root, with CAP_NET_ADMIN", Err: err}}
			return
		}
		defer k.links.Close()
		result <- k.try()
	}()
	return <-result
}

// try makes one of each kind, in the namespace that it is in.
func (k *Kernel) try() (missing []*Missing) {
	note := func(err error, what, remedy string) bool {
		if err != nil {
			missing = append(missing, &Missing{What: what, Remedy: remedy, Err: err})
		}
		return err == nil
	}
	mpls := os.WriteFile(sysctlPath("mpls/platform_labels"), []byte(strconv.Itoa(platformLabels)), 0)
	note(mpls, "the kernel does not switch labels (mpls_router)", "modprobe mpls_router")
	note(k.setRuleset(dataplane.Ruleset{MTU: 1280}), "the kernel has no nftables with NAT and conntrack for inet", "modprobe -a nf_tables nft_chain_nat nft_ct")
	var pair error
	if mpls == nil {
		pair = k.setPair()
		if note(pair, "the kernel has no veth devices", "modprobe veth") {
			note(k.apply(dataplane.Step{New: dataplane.Label(platformLabels - 1)}), "the kernel cannot pop a label", "modprobe mpls_router")
		}
	}
	local := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	if k.settings.Address.Is6() {
		local = netip.MustParseAddr("2001:db8::1")
	}
	for _, e := range k.settings.Encapsulations {
		t := dataplane.Tunnel{Name: dataplane.Prefix + "try-" + string(e), Encapsulation: e, Local: local, MTU: 1400}
		remedy := "modprobe ip_gre"
		if e == dataplane.UDP {
			remedy = "modprobe -a fou ipip"
			note(k.setListener(dataplane.Listener{Port: k.settings.UDPPort}), "the kernel does not take MPLS-over-UDP in (fou)", "modprobe fou")
		}
		if mpls != nil { // then there is no input either: only the device can be tried
			note(k.links.LinkAdd(k.linkOf(t)), fmt.Sprintf("the kernel has no MPLS-over-%s tunnels", strings.ToUpper(string(e))), remedy)
			continue
		}
		if !note(k.setTunnel(t), fmt.Sprintf("the kernel has no MPLS-over-%s tunnels", strings.ToUpper(string(e))), remedy) {
			continue
		}
		for _, prefix := range []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/48")} {
			r := dataplane.GatewayRoute{Table: networkTables << 24, Prefix: prefix, Hops: []dataplane.Hop{{Tunnel: t.Name, Label: platformLabels}}}
			note(k.apply(dataplane.Step{New: r}), "the kernel cannot put a label on packets (mpls_iptunnel)", "modprobe mpls_iptunnel")
		}
	}
	note(k.setRule(dataplane.Rule{V4: true, Priority: 1, Mark: 1, Mask: 1, Table: 1}), "the kernel has no rules by mark", "a kernel with CONFIG_IP_MULTIPLE_TABLES")
	return missing
}
