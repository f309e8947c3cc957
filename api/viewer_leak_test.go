package api

import (
	"context"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// method is an RPC of the server.
type method struct {
	name string // as gRPC writes it: /SERVICE/METHOD
	protoreflect.MethodDescriptor
}

// methods are all RPCs of all services that are registered.
func methods(t testing.TB) (list []method) {
	t.Helper()
	for service := range newServer().grpc.GetServiceInfo() {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.(protoreflect.ServiceDescriptor).Methods().Len() {
			m := d.(protoreflect.ServiceDescriptor).Methods().Get(i)
			list = append(list, method{"/" + service + "/" + string(m.Name()), m})
		}
	}
	slices.SortFunc(list, func(a, b method) int { return strings.Compare(a.name, b.name) })
	return list
}

// Every RPC has a rule, and there is no rule without an RPC.
func TestEveryMethodHasARule(t *testing.T) {
	var ruled []string
	for _, m := range methods(t) {
		if _, ok := rules[m.name]; !ok {
			t.Errorf("%s has no rule: add one to rules", m.name)
		}
		ruled = append(ruled, m.name)
	}
	if got := slices.Sorted(maps.Keys(rules)); !slices.Equal(got, ruled) {
		t.Errorf("rules: got those of %q, want %q", got, ruled)
	}
}

// fill sets every text and every message of a request, by the name of its
// field; what is not in the values stays empty.
func fill(m protoreflect.Message, values map[string]string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		value, given := values[string(f.Name())]
		switch {
		case f.IsMap():
		case f.ContainingOneof() != nil && values["kind"] != "" && values["kind"] != string(f.Name()):
		case f.Kind() == protoreflect.StringKind && given && f.IsList():
			m.Mutable(f).List().Append(protoreflect.ValueOfString(value))
		case f.Kind() == protoreflect.StringKind && given:
			m.Set(f, protoreflect.ValueOfString(value))
		case f.Message() != nil && f.IsList():
			fill(m.Mutable(f).List().AppendMutable().Message(), values)
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), values)
		case f.Enum() != nil && f.Name() == "direction" && values["received"] != "":
			m.Set(f, protoreflect.ValueOfEnum(protoreflect.EnumNumber(buoyv1.ListRoutesRequest_RECEIVED)))
		case f.Enum() != nil && f.Name() == "direction" && values["neighbor"] != "":
			m.Set(f, protoreflect.ValueOfEnum(protoreflect.EnumNumber(buoyv1.ListRoutesRequest_ADVERTISED)))
		case f.Name() == "page_size" && given:
			m.Set(f, protoreflect.ValueOfInt32(1))
		}
	}
}

// asked is what a request may be about: values of its fields.
func asked() (all []map[string]string) {
	names := []string{"", "nope", "projects/dev", "projects/ops",
		devNet, devPool, devFIP, drawn, guest, opsNet, sharedPool,
		closedPool, secretNet, secretFIP, secretNet + "/pools/public",
		blue, ofGlobal, cmp1, mx1, "computeNodes/secret", "neighbors/secret", "namespaces/secret/poolBinding", "global/bgp"}
	for _, name := range names {
		for _, mask := range []string{"", "subnets", "ranges", "direction", "address", "as"} {
			all = append(all, map[string]string{"name": name, "paths": mask})
		}
	}
	for _, parent := range []string{"", "projects/dev", "projects/ops", devNet, opsNet, secretNet} {
		all = append(all, map[string]string{"parent": parent}, map[string]string{"parent": parent, "page_size": "1"})
	}
	for _, table := range []string{"bgp.l3vpn.0", devNet + ".inet.0", opsNet + ".inet.0", secretNet + ".inet.0", secretNet + ".inet6.0"} {
		for _, prefix := range []string{"", "10.1.0.0/16", "10.2.0.0/16", "10.2.0.1", "192.0.2.1"} {
			all = append(all, map[string]string{"table": table, "prefix": prefix, "page_size": "1"}, map[string]string{"table": table, "neighbor": mx1, "prefix": prefix})
		}
	}
	for _, field := range []string{"network", "pool", "neighbor"} {
		for _, name := range names {
			all = append(all,
				map[string]string{field: name},
				map[string]string{field: name, "received": "yes"},
				map[string]string{field: name, "page_size": "1", "prefix": "10.1.2.3"},
				map[string]string{field: name, "page_size": "1", "table": "inet.0"},
				map[string]string{field: name, "name": "projects/dev/floatingIps/new"},
				map[string]string{field: name, "name": "projects/ops/floatingIps/new"},
				map[string]string{field: name, "name": blue})
		}
	}
	for _, address := range []string{"203.0.113.1", "203.0.113.9", "203.0.113.99", "198.51.100.1", "198.51.100.3", "198.51.100.100", "192.0.2.1", "192.0.2.99", "233.252.0.1"} {
		for _, network := range []string{"", devNet, opsNet, secretNet} {
			all = append(all, map[string]string{"address": address, "network": network}, map[string]string{"address": address, "neighbor": mx1, "client": "10.2.0.1"})
		}
	}
	for _, name := range names {
		all = append(all, map[string]string{"floating_ip": name}, map[string]string{"floating_ip": name, "neighbor": mx1}, map[string]string{"floating_ip": name, "client": "10.2.0.1"})
	}
	for _, name := range append(names, "secret", "own", "cmp1", "192.0.2.1", "203.0.113.1") {
		all = append(all, map[string]string{"for": name}, map[string]string{"for": name, "page_size": "1"})
	}
	for _, kind := range []string{"global", "network", "pool", "pool_binding", "compute_node", "neighbor"} { // documents
		for _, name := range names {
			all = append(all, map[string]string{"kind": kind, "name": name}, map[string]string{"kind": kind, "name": name, "subnets": "203.0.113.0/24"})
		}
	}
	return all
}

// ask makes a request for dev, and returns the answer in words.
func ask(ctx context.Context, l *lab, m method, req proto.Message) (string, error) {
	out, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return "", err
	}
	if m.IsStreamingServer() {
		return askStream(ctx, l, m, req, out)
	}
	resp := out.New().Interface()
	if err := l.conn.Invoke(as(ctx, "dev"), m.name, req, resp); err != nil {
		resp = status.Convert(err).Proto()
	}
	return prototext.MarshalOptions{Multiline: true}.Format(resp), nil
}

// askStream returns all messages of an answer that is a stream, or those before its
// first bookmark.
func askStream(ctx context.Context, l *lab, m method, req proto.Message, out protoreflect.MessageType) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := l.conn.NewStream(as(ctx, "dev"), &grpc.StreamDesc{ServerStreams: true}, m.name)
	if err := errors.Join(err, stream.SendMsg(req), stream.CloseSend()); err != nil {
		return "", err
	}
	text := ""
	for {
		resp := out.New().Interface()
		err := stream.RecvMsg(resp)
		if marked, ok := resp.(interface{ GetBookmark() *buoyv1.Bookmark }); err == io.EOF || ok && marked.GetBookmark() != nil {
			return text, nil
		}
		if err != nil {
			resp = status.Convert(err).Proto()
		}
		text += prototext.MarshalOptions{Multiline: true}.Format(resp)
		if err != nil {
			return text, nil
		}
	}
}

// order puts methods that read before those that change.
func order(m method) int {
	if rules[m.name] == reads {
		return 0
	}
	return 1
}

// apart is what differs between two histories: as in tokens, sequences show how much
// has happened.
var apart = regexp.MustCompile(`(?m)(^ *sequence:|^ *time:|^next_page_token:) .*`)

// Every RPC answers a project the same, word for word, whether or not there is
// what the project must not see.
func TestViewerLearnsNothing(t *testing.T) {
	with, without := tenants(t, true), tenants(t, false)
	list := methods(t)
	// While all is there, those that change nothing.
	slices.SortStableFunc(list, func(a, b method) int { return order(a) - order(b) })
	for _, m := range list {
		if m.IsStreamingClient() || m.name == healthpb.Health_Watch_FullMethodName {
			continue // they show no resources
		}
		in, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
		if err != nil {
			t.Fatal(err)
		}
		done := map[string]bool{}
		for _, values := range asked() {
			req := in.New()
			fill(req, values)
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if done[string(data)] {
				continue // it has fields for few of the values
			}
			done[string(data)] = true
			got, err1 := ask(t.Context(), with, m, req.Interface())
			want, err2 := ask(t.Context(), without, m, req.Interface())
			got, want = apart.ReplaceAllString(got, "$1 …"), apart.ReplaceAllString(want, "$1 …")
			if err := errors.Join(err1, err2); err != nil || got != want {
				t.Errorf("%s of %v: %v\n--- with secrets\n%s--- without\n%s", m.name, values, err, got, want)
			}
		}
	}
	for l, want := range map[*lab]int{with: 2, without: 1} {
		list := call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/ops"})
		if got := len(list.FloatingIps); got != want {
			t.Errorf("floating IPs of ops, as the operator sees them: got %d, want %d", got, want)
		}
	}
}
