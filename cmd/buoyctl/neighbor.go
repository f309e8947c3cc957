package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var neighborColumns = []column[*buoyv1.Neighbor]{
	{"NAME", false, func(n *buoyv1.Neighbor) string { return short(n.Name) }},
	{"ADDRESS", false, func(n *buoyv1.Neighbor) string { return n.Address }},
	{"AS", false, func(n *buoyv1.Neighbor) string { return strconv.Itoa(int(n.As)) }},
	{"STATE", false, func(n *buoyv1.Neighbor) string { return stateName(n.State) }},
	{"SINCE", false, func(n *buoyv1.Neighbor) string { return age(n.GetSession()) }},
	{"FAMILIES", false, func(n *buoyv1.Neighbor) string {
		if n.State == buoyv1.Neighbor_ESTABLISHED {
			return strings.Join(n.GetSession().GetNegotiatedFamilies(), ",")
		}
		return strings.Join(n.Families, ",")
	}},
	{"PORT", true, func(n *buoyv1.Neighbor) string { return strconv.Itoa(int(n.Port)) }},
	{"MODE", true, func(n *buoyv1.Neighbor) string { return mode(n) }},
	{"SOURCE", true, func(n *buoyv1.Neighbor) string { return source(n) }},
	{"ROUTER-ID", true, func(n *buoyv1.Neighbor) string { return n.GetSession().GetOpenReceived().GetRouterId() }},
	{"UPDATES-SENT", true, func(n *buoyv1.Neighbor) string { return count(n.GetSession().GetSent().GetUpdates()) }},
	{"UPDATES-RECEIVED", true, func(n *buoyv1.Neighbor) string { return count(n.GetSession().GetReceived().GetUpdates()) }},
	{"ADVERTISED", true, func(n *buoyv1.Neighbor) string { return count(n.GetSession().GetAdvertisedRoutes()) }},
	{"RECEIVED", true, func(n *buoyv1.Neighbor) string { return count(n.GetSession().GetTakenRoutes()) }},
	{"REASON", false, reason},
}

// reason says why, and what to do about it.
func reason(n *buoyv1.Neighbor) string {
	if n.NextStep == "" {
		return n.StateReason
	}
	return n.StateReason + " – " + n.NextStep
}

func nameOfNeighbor(n *buoyv1.Neighbor) string { return n.Name }

// stateName writes a state as RFC 4271 does.
func stateName(s buoyv1.Neighbor_State) string {
	switch s {
	case buoyv1.Neighbor_OPEN_SENT:
		return "OpenSent"
	case buoyv1.Neighbor_OPEN_CONFIRM:
		return "OpenConfirm"
	}
	name := s.String()
	return name[:1] + strings.ToLower(name[1:])
}

// age says how long a session has been in its state.
func age(s *buoyv1.Session) string {
	if s.GetSince() == nil {
		return ""
	}
	return time.Since(s.Since.AsTime()).Truncate(time.Second).String()
}

func mode(n *buoyv1.Neighbor) string {
	if n.Passive {
		return "passive"
	}
	return "active"
}

func source(n *buoyv1.Neighbor) string {
	if n.ReadOnly {
		return "file"
	}
	return "api"
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

// neighbors adds what can be done with neighbors to the verbs.
func (a *app) neighbors(verbs map[string]*cobra.Command) {
	create := &buoyv1.Neighbor{}
	createCmd := &cobra.Command{
		Use:     "neighbor NAME",
		Aliases: []string{"peer"},
		Short:   "Create a neighbor: a gateway router to peer with",
		Example: "  buoyctl create neighbor mx1 --address 10.0.0.1 --as 64512 --families inet-vpn,inet6-vpn,route-target",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			create.Name = a.neighborName(args[0])
			n, err := c.Neighbors.CreateNeighbor(ctx, &buoyv1.CreateNeighborRequest{Neighbor: create})
			if err != nil {
				return err
			}
			return report(a, n, nameOfNeighbor, neighborColumns, "created")
		}),
	}
	neighborFlags(createCmd.Flags(), create)
	require(createCmd, "address", "as")
	a.outputFlag(createCmd)
	verbs["create"].AddCommand(createCmd)

	set := &buoyv1.Neighbor{}
	setCmd := &cobra.Command{
		Use:     "neighbor NAME",
		Aliases: []string{"peer"},
		Short:   "Change a neighbor; its session is opened anew, but for --encapsulation, --max-* and --accept-*",
		Example: "  buoyctl set neighbor mx1 --families inet-vpn\n  buoyctl set neighbor mx1 --encapsulation gre --max-advertised 1000\n  buoyctl set neighbor mx1 --accept-prefix 198.51.100.0/24,2001:db8::/32 --accept-target target:64512:10003 --max-received 1000 --max-received-action stop\n  buoyctl set neighbor mx1 --graceful-restart inet-vpn,inet6-vpn --restart-time 120 --long-lived-time 86400",
		Args:    takes(1, 1),
	}
	setCmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		set.Name = a.neighborName(args[0])
		mask, err := maskOf(setCmd.Flags(), neighborFields)
		if err != nil {
			return err
		}
		n, err := c.Neighbors.UpdateNeighbor(ctx, &buoyv1.UpdateNeighborRequest{Neighbor: set, UpdateMask: mask})
		if err != nil {
			return err
		}
		return report(a, n, nameOfNeighbor, neighborColumns, "changed")
	})
	neighborFlags(setCmd.Flags(), set)
	a.outputFlag(setCmd)
	verbs["set"].AddCommand(setCmd)

	addNoun(a, verbs, noun[*buoyv1.Neighbor]{
		singular: "neighbor", plural: "neighbors", aliases: []string{"peer", "peers"},
		kind: "neighbor", event: (*buoyv1.WatchResponse).GetNeighbor,
		deletable: "Delete a neighbor; its session ends",
		columns:   neighborColumns,
		nameOf:    nameOfNeighbor,
		fullName:  always(a.neighborName),
		get: func(ctx context.Context, c *client, name string) (*buoyv1.Neighbor, error) {
			return c.Neighbors.GetNeighbor(ctx, &buoyv1.GetNeighborRequest{Name: name})
		},
		list: func(ctx context.Context, c *client, _ string) ([]*buoyv1.Neighbor, error) {
			return listNeighbors(ctx, c)
		},
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.Neighbors.DeleteNeighbor(ctx, &buoyv1.DeleteNeighborRequest{Name: name})
			return err
		},
		describe: a.describeNeighbor,
	})
}

func listNeighbors(ctx context.Context, c *client) ([]*buoyv1.Neighbor, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.Neighbor, string, error) {
		resp, err := c.Neighbors.ListNeighbors(ctx, &buoyv1.ListNeighborsRequest{PageToken: token})
		return resp.GetNeighbors(), resp.GetNextPageToken(), err
	})
}

// neighborFields maps the flags to the fields of the API.
var neighborFields = map[string]string{
	"address":  "address",
	"port":     "port",
	"as":       "as",
	"families": "families",
	"passive":  "passive",

	"local-address":  "local_address",
	"hold-time":      "hold_time",
	"keepalive-time": "keepalive_time",
	"ttl-security":   "ttl_security",
	"multihop":       "multihop",
	"md5-key-file":   "md5_key_file",
	"md5-key-env":    "md5_key_env",

	"graceful-restart": "graceful_restart",
	"restart-time":     "restart_time",
	"long-lived-time":  "long_lived_time",
	"long-lived":       "long_lived",

	"encapsulation":  "encapsulations",
	"max-advertised": "max_advertised",
	"max-received":   "max_received",

	"accept-prefix":       "accept_prefixes",
	"accept-target":       "accept_targets",
	"max-received-action": "max_received_action",
}

func neighborFlags(flags *pflag.FlagSet, n *buoyv1.Neighbor) {
	flags.StringVar(&n.Address, "address", "", "address of the router")
	flags.Uint32Var(&n.Port, "port", 179, "port to connect to")
	flags.Uint32Var(&n.As, "as", 0, "AS of the router")
	flags.StringSliceVar(&n.Families, "families", nil, "inet-vpn, inet6-vpn, route-target; by default what the daemon's configuration says")
	flags.BoolVar(&n.Passive, "passive", false, "wait for the router, never connect to it")
	flags.StringVar(&n.LocalAddress, "local-address", "", "our end of the connection")
	flags.Uint32Var(&n.HoldTime, "hold-time", 0, "proposed hold time in seconds, 3..65535 (default 90)")
	flags.Uint32Var(&n.KeepaliveTime, "keepalive-time", 0, "seconds between KEEPALIVEs, at most a third of the hold time (default a third)")
	flags.Uint32Var(&n.TtlSecurity, "ttl-security", 0, "GTSM: how many hops away the router may be, 1..254 (default anywhere)")
	flags.Uint32Var(&n.Multihop, "multihop", 0, "TTL of our packets, 1..255 (default 1 towards another AS, 64 in our own)")
	flags.StringVar(&n.Md5KeyFile, "md5-key-file", "", "file with the TCP MD5 key, as the daemon sees it")
	flags.StringVar(&n.Md5KeyEnv, "md5-key-env", "", "variable of the daemon's environment with the TCP MD5 key")
	flags.StringSliceVar(&n.GracefulRestart, "graceful-restart", nil, "families whose routes the router is asked to keep while the session is lost, or none (default all of the session)")
	flags.Uint32Var(&n.RestartTime, "restart-time", 0, "graceful restart: for how many seconds the router keeps our routes while the session is lost, 1..4095 (default 300)")
	flags.Uint32Var(&n.LongLivedTime, "long-lived-time", 0, "long-lived graceful restart: for how many seconds more the router keeps our routes as a last resort, 1..16777215 (default 0, not at all)")
	flags.StringSliceVar(&n.LongLived, "long-lived", nil, "families of --long-lived-time (default all with graceful restart)")
	flags.StringSliceVar(&n.Encapsulations, "encapsulation", nil, "gre, udp; they replace those of every route (default as the routes)")
	flags.Uint32Var(&n.MaxAdvertised, "max-advertised", 0, "how many VPN routes the router is sent at most (default all)")
	flags.StringSliceVar(&n.AcceptPrefixes, "accept-prefix", nil, "VPN routes that are taken from the router, to be shown and imported, as in a prefix list: 10.0.0.0/8, '10.0.0.0/8 ge 16 le 24'; none takes nothing; may be repeated (default all)")
	flags.StringSliceVar(&n.AcceptTargets, "accept-target", nil, "only VPN routes that carry one of these route targets are taken, like target:64512:10003; may be repeated (default any)")
	flags.Uint32Var(&n.MaxReceived, "max-received", 0, "how many VPN routes are taken from the router at most (default 100000)")
	flags.Var(choice[buoyv1.Neighbor_MaxReceivedAction]{&n.MaxReceivedAction}, "max-received-action", "what becomes of a router that announces more: they are left out, or its session ends until its settings change (default warn)")
}

func (a *app) describeNeighbor(_ context.Context, _ *client, n *buoyv1.Neighbor) error {
	s := newSection(a.stdout)
	s.line("Name", n.Name)
	s.line("Address", n.Address+" port "+strconv.Itoa(int(n.Port)))
	s.line("AS", strconv.Itoa(int(n.As)))
	s.line("Mode", mode(n))
	s.line("Defined in", map[bool]string{true: "configuration file (read-only)", false: "API"}[n.ReadOnly])
	s.list("Families configured", n.Families)
	s.line("State", stateName(n.State))
	if n.StateReason != "" {
		s.line("Reason", n.StateReason)
	}
	if n.NextStep != "" {
		s.line("Next step", n.NextStep)
	}
	describeSettings(s, n)
	s.line("Advertised routes", advertised(n))
	s.line("Received routes", received(n))
	if session := n.GetSession(); session != nil {
		describeSession(s, session)
	}
	return s.flush()
}

// describeSettings writes what was configured beyond the usual.
func describeSettings(s section, n *buoyv1.Neighbor) {
	s.line("Hold time", fmt.Sprintf("%d s", n.HoldTime))
	s.line("Graceful restart", describeGraceful(n))
	s.line("Long-lived graceful restart", describeLongLived(n))
	s.line("Encapsulations", cmp.Or(strings.Join(n.Encapsulations, ", "), "as the routes"))
	for _, line := range []struct {
		title, value string
		given        bool
	}{
		{"Keepalive time", fmt.Sprintf("%d s", n.KeepaliveTime), n.KeepaliveTime > 0},
		{"Configured local address", n.LocalAddress, n.LocalAddress != ""},
		{"TTL security", fmt.Sprintf("%d hops", n.TtlSecurity), n.TtlSecurity > 0},
		{"Multihop", fmt.Sprintf("TTL %d", n.Multihop), n.Multihop > 0},
		{"MD5 key", "in the file " + n.Md5KeyFile, n.Md5KeyFile != ""},
		{"MD5 key", "in the environment variable " + n.Md5KeyEnv, n.Md5KeyEnv != ""},
		{"Accepted prefixes", strings.Join(n.AcceptPrefixes, ", "), len(n.AcceptPrefixes) > 0},
		{"Accepted targets", strings.Join(n.AcceptTargets, ", "), len(n.AcceptTargets) > 0},
		{"More than the maximum", "the session ends until the settings change", n.MaxReceivedAction == buoyv1.Neighbor_STOP},
	} {
		if line.given {
			s.line(line.title, line.value)
		}
	}
}

// advertised says how many routes the router has, and whether it lacks some.
func advertised(n *buoyv1.Neighbor) string {
	text := count(n.GetSession().GetAdvertisedRoutes())
	if n.MaxAdvertised > 0 {
		text += fmt.Sprintf(" of at most %d", n.MaxAdvertised)
	}
	if n.GetSession().GetMaxAdvertisedReached() {
		text += " (maximum reached: the others are withheld)"
	}
	return text
}

// received says how many routes of the router are there, and what they lack.
func received(n *buoyv1.Neighbor) string {
	session := n.GetSession()
	if takesNothing(n) {
		return "none are taken (--accept-prefix none)"
	}
	text := fmt.Sprintf("%d of at most %d", session.GetTakenRoutes(), n.MaxReceived)
	var lacks []string
	if stale := session.GetStaleRoutes(); stale > 0 {
		lacks = append(lacks, count(stale)+" stale")
	}
	if left := session.GetLeftRoutes(); left > 0 {
		lacks = append(lacks, count(left)+" left out")
	}
	if filtered := session.GetFilteredRoutes(); filtered > 0 {
		lacks = append(lacks, count(filtered)+" filtered out")
	}
	if len(lacks) > 0 {
		text += " (" + strings.Join(lacks, ", ") + ")"
	}
	return text
}

// takesNothing reports whether no route of a neighbor is taken.
func takesNothing(n *buoyv1.Neighbor) bool { return slices.Equal(n.AcceptPrefixes, []string{"none"}) }

func describeSession(s section, session *buoyv1.Session) {
	s.line("Since", age(session))
	s.line("Came up", times(session.EstablishedCount, session.LastUp))
	s.line("Went down", times(session.Flaps, session.LastDown))
	s.line("State changes", count(session.StateChanges))
	s.list("Families negotiated", session.NegotiatedFamilies)
	s.line("Local address", session.LocalAddress)
	s.line("Remote address", session.RemoteAddress)
	describeKept(s, session)
	describeOpen(s, "OPEN sent", session.OpenSent)
	describeOpen(s, "OPEN received", session.OpenReceived)
	s.line("Last NOTIFICATION sent", describeNotification(session.NotificationSent))
	s.line("Last NOTIFICATION received", describeNotification(session.NotificationReceived))
	s.line("Messages sent", describeCounters(session.Sent))
	s.line("Messages received", describeCounters(session.Received))
	s.line("Messages refused", count(session.GetReceived().GetRefused()))
	s.line("UPDATEs malformed", malformed(session.GetReceived().GetMalformed()))
	describeBadMessages(s, session.BadMessages)
}

// malformed says what became of UPDATEs with errors.
func malformed(n uint64) string {
	if n == 0 {
		return "0"
	}
	return count(n) + " (the session goes on; what is wrong is withdrawn or left out, RFC 7606)"
}

// maxHex is how many bytes of a message describe shows.
const maxHex = 64

func describeBadMessages(s section, list []*buoyv1.BadMessage) {
	const title = "Bad messages"
	if len(list) == 0 {
		s.line(title, "none")
		return
	}
	for i, m := range list {
		text := fmt.Sprintf("%s  %s", m.Time.AsTime().Local().Format(time.DateTime), m.Reason)
		if i == 0 {
			s.line(title, text)
		} else {
			s.more(text)
		}
		if len(m.Data) == 0 {
			continue
		}
		hex := fmt.Sprintf("%x", m.Data[:min(len(m.Data), maxHex)])
		if len(m.Data) > maxHex {
			hex += fmt.Sprintf(" … %d bytes", len(m.Data))
		}
		s.more(hex)
	}
}

// times says how often something happened, and when last.
func times(n uint64, last *timestamppb.Timestamp) string {
	if n == 0 {
		return "never"
	}
	text := count(n) + " times"
	if n == 1 {
		text = "once"
	}
	return text + ", last at " + last.AsTime().Local().Format(time.DateTime)
}

func describeOpen(s section, title string, o *buoyv1.Open) {
	if o == nil {
		s.line(title, "")
		return
	}
	families := append(append([]string{}, o.Families...), o.OtherFamilies...)
	s.line(title, fmt.Sprintf("AS %d, router id %s, hold time %d s, families %s", o.As, o.RouterId, o.HoldTime, orDash(strings.Join(families, ","))))
	describeRestart(s, o.Restart)
}

func describeNotification(n *buoyv1.Notification) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%s, at %s", n.Text, n.Time.AsTime().Local().Format(time.DateTime))
}

func describeCounters(c *buoyv1.Counters) string {
	return fmt.Sprintf("%d OPEN, %d UPDATE, %d KEEPALIVE, %d ROUTE-REFRESH, %d NOTIFICATION; %d bytes",
		c.GetOpens(), c.GetUpdates(), c.GetKeepalives(), c.GetRouteRefreshes(), c.GetNotifications(), c.GetBytes())
}
