package api

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestEveryChange: what changes something can be repeated and tried, and, if it is
// about what there is, be made to depend on what was read.
func TestEveryChange(t *testing.T) {
	changes := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("buoy.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				m := methods.Get(j)
				name := string(m.Name())
				if m.IsStreamingClient() {
					continue // it reports what there is
				}
				if strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Watch") || name == "Export" || name == "Explain" || name == "Examine" || name == "Shutdown" {
					continue
				}
				changes++
				fields := []protoreflect.Name{"request_id", "validate_only"}
				if !strings.HasPrefix(name, "Create") && !strings.HasPrefix(name, "Batch") && name != "Allocate" && name != "Apply" {
					fields = append(fields, "etag")
				}
				for _, field := range fields {
					if m.Input().Fields().ByName(field) == nil {
						t.Errorf("%s has no %s", m.FullName(), field)
					}
				}
			}
		}
		return true
	})
	if changes < 20 {
		t.Errorf("found %d", changes)
	}
}

// TestRequestID: a request that comes again is given the first answer.
func TestRequestID(t *testing.T) {
	l := newLab(t).furnish(t)
	req := &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/new", Network: public, RequestId: "a-1"}
	first := call(t, l.floatingIPs.Allocate, req)
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: first.Name, Association: &buoyv1.Association{
		ComputeNode: cmp1, Interface: "tap9", FixedIp: "10.47.0.9"}})
	if again := call(t, l.floatingIPs.Allocate, req); !proto.Equal(again, first) {
		t.Errorf("got %v\nwant %v", again, first)
	}
	update := &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public, Encapsulations: []string{"udp"}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"encapsulations"}}, RequestId: "a-2"}
	changed := call(t, l.networks.UpdateNetwork, update)
	call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"encapsulations"}}})
	if again := call(t, l.networks.UpdateNetwork, update); !proto.Equal(again, changed) {
		t.Errorf("got %v\nwant %v", again, changed)
	}
	if now := call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}); len(now.Encapsulations) > 0 {
		t.Errorf("the update was repeated: %v", now)
	}
	release := &buoyv1.ReleaseRequest{Name: idle, RequestId: "a-3"}
	call(t, l.floatingIPs.Release, release)
	call(t, l.floatingIPs.Release, release)

	other := proto.Clone(req).(*buoyv1.AllocateRequest)
	other.Network = private
	for name, tt := range map[string]struct {
		req  *buoyv1.AllocateRequest
		want refusal
	}{
		"another request": {other, refusal{codes.InvalidArgument, "REQUEST_ID_REUSED", "request_id", "",
			`"a-1" was the id of another request; expected a new one`}},
		"no id": {&buoyv1.AllocateRequest{Name: web1, RequestId: "a 1"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "request_id", "",
			`expected 1 to 128 of A-Z a-z 0-9 . _ : -, got "a 1"`}},
		"of another method": {&buoyv1.AllocateRequest{Name: idle, RequestId: "a-3"}, refusal{codes.InvalidArgument, "REQUEST_ID_REUSED", "request_id", "",
			`"a-3" was the id of another request; expected a new one`}},
	} {
		_, err := l.floatingIPs.Allocate(t.Context(), tt.req)
		t.Run(name, func(t *testing.T) { tt.want.check(t, err) })
	}
	// An answer that says what was before.
	global := &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 64513}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"as"}}, RequestId: "a-4"}
	renumbered := call(t, l.globals.UpdateGlobal, global)
	if again := call(t, l.globals.UpdateGlobal, global); !proto.Equal(again, renumbered) || len(renumbered.RenumberedTargets) == 0 {
		t.Errorf("got %v\nwant %v", again, renumbered)
	}
	// A project's ids are its own.
	theirs := &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/theirs", Network: public, RequestId: "a-1"}
	callAs(t, "default", l.floatingIPs.Allocate, theirs)
}

// TestEtag: what has changed since it was read is not changed.
func TestEtag(t *testing.T) {
	l := newLab(t).furnish(t)
	read := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1})
	mapping := func(port uint32, etag string) *buoyv1.UpdateFloatingIPRequest {
		return &buoyv1.UpdateFloatingIPRequest{Etag: etag, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"port_mappings"}},
			FloatingIp: &buoyv1.FloatingIP{Name: web1, PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: port, FixedPort: port}}}}
	}
	changed := call(t, l.floatingIPs.UpdateFloatingIP, mapping(80, read.Etag))
	if changed.Etag == read.Etag {
		t.Error("the etag is the same")
	}
	_, err := l.floatingIPs.UpdateFloatingIP(t.Context(), mapping(81, read.Etag))
	refusal{codes.Aborted, "ETAG_DIFFERS", "etag", web1, web1 + " has changed since it was read; read it again"}.check(t, err)
	_, err = l.floatingIPs.Disassociate(t.Context(), &buoyv1.DisassociateRequest{Name: web1, Etag: "!"})
	refusal{codes.InvalidArgument, "INVALID_FIELD", "etag", "", "expected the etag of " + web1 + ` as it was read, got "!"`}.check(t, err)
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1, Etag: changed.Etag})
	g := call(t, l.globals.GetGlobal, &buoyv1.GetGlobalRequest{})
	n := call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: mx1})
	if g.Etag == "" || n.Etag == "" {
		t.Errorf("etags %q and %q", g.Etag, n.Etag)
	}
	call(t, l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: mx1, Etag: n.Etag})
}

// TestValidateOnly: the answer is as if, and nothing changes.
func TestValidateOnly(t *testing.T) {
	l := newLab(t).furnish(t)
	before := l.follower.State().Revision()
	f := call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/new", Network: public, ValidateOnly: true, RequestId: "v-1"})
	if f.Address == "" || f.State != buoyv1.FloatingIP_ALLOCATED {
		t.Errorf("got %v", f)
	}
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: idle, ValidateOnly: true})
	n := call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{ValidateOnly: true,
		Network: &buoyv1.Network{Name: "projects/default/networks/new", Subnets: []string{"192.0.2.0/24"}}})
	if n.Id == 0 || n.AutomaticTarget == "" {
		t.Errorf("got %v", n)
	}
	_, err := l.floatingIPs.Release(t.Context(), &buoyv1.ReleaseRequest{Name: web1, ValidateOnly: true})
	if err == nil {
		t.Error("what is associated could be released")
	}
	if now := l.follower.State().Revision(); now != before {
		t.Errorf("revision %d, want %d", now, before)
	}
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/new", Network: public, RequestId: "v-1"})
}

// TestBatches: all or none, in one change.
func TestBatches(t *testing.T) {
	l := newLab(t).furnish(t)
	name := func(i int) string { return fmt.Sprint("projects/default/floatingIps/b-", i) }
	const many = 50
	allocate, associate, release := &buoyv1.BatchAllocateRequest{RequestId: "b-1"}, &buoyv1.BatchAssociateRequest{RequestId: "b-2"}, &buoyv1.BatchReleaseRequest{}
	for i := range many {
		allocate.Requests = append(allocate.Requests, &buoyv1.AllocateRequest{Name: name(i), Network: public})
		associate.Requests = append(associate.Requests, &buoyv1.AssociateRequest{Name: name(i), Association: &buoyv1.Association{
			ComputeNode: cmp1, Interface: fmt.Sprint("tap-b", i), FixedIp: "10.47.1.1"}})
		release.Requests = append(release.Requests, &buoyv1.ReleaseRequest{Name: name(i)})
	}
	revision := l.follower.State().Revision()
	given := call(t, l.floatingIPs.BatchAllocate, allocate)
	if now := l.follower.State().Revision(); now != revision+1 {
		t.Errorf("revision %d, want %d", now, revision+1)
	}
	addresses := map[string]bool{}
	for i, f := range given.FloatingIps {
		addresses[f.Address] = true
		if f.Name != name(i) || f.State != 0 || f.Etag == "" {
			t.Errorf("got %v", f)
		}
	}
	if len(addresses) != many {
		t.Errorf("%d addresses", len(addresses))
	}
	associated := call(t, l.floatingIPs.BatchAssociate, associate)
	if f := associated.FloatingIps[many-1]; len(f.Associations) != 1 || f.Associations[0].Label == 0 {
		t.Errorf("got %v", f)
	}
	if again := call(t, l.floatingIPs.BatchAllocate, allocate); !proto.Equal(again, given) {
		t.Error("another answer to the same request")
	}

	before := l.follower.State().Revision()
	for what, tt := range map[string]struct {
		err  error
		want refusal
	}{
		"one of them is refused": {second(l.floatingIPs.BatchAllocate(t.Context(), &buoyv1.BatchAllocateRequest{Requests: []*buoyv1.AllocateRequest{
			{Name: name(many), Network: public}, {Name: web1, Network: public}}})),
			refusal{codes.AlreadyExists, "RESOURCE_EXISTS", "requests[1].name", web1, web1 + " exists with address 203.0.113.5"}},
		"a field": {second(l.floatingIPs.BatchAssociate(t.Context(), &buoyv1.BatchAssociateRequest{Requests: []*buoyv1.AssociateRequest{
			{Name: web1, Association: &buoyv1.Association{ComputeNode: cmp2, Interface: "x", FixedIp: "here"}}}})),
			refusal{codes.InvalidArgument, "INVALID_FIELD", "requests[0].fixed_ip", "", `expected an IPv4 or IPv6 address, got "here"`}},
		"an id of its own": {second(l.floatingIPs.BatchAllocate(t.Context(), &buoyv1.BatchAllocateRequest{Requests: []*buoyv1.AllocateRequest{{RequestId: "x"}}})),
			refusal{codes.InvalidArgument, "INVALID_FIELD", "requests[0].request_id", "", "expected none: the batch has one"}},
		"validate_only of its own": {second(l.floatingIPs.BatchRelease(t.Context(), &buoyv1.BatchReleaseRequest{Requests: []*buoyv1.ReleaseRequest{{ValidateOnly: true}}})),
			refusal{codes.InvalidArgument, "INVALID_FIELD", "requests[0].validate_only", "", "expected false: the batch says it"}},
		"none": {second(l.floatingIPs.BatchRelease(t.Context(), &buoyv1.BatchReleaseRequest{})),
			refusal{codes.InvalidArgument, "INVALID_FIELD", "requests", "", "expected 1 to 10000, got 0"}},
		"too many": {second(l.floatingIPs.BatchRelease(t.Context(), &buoyv1.BatchReleaseRequest{Requests: make([]*buoyv1.ReleaseRequest, maxBatch+1)})),
			refusal{codes.InvalidArgument, "INVALID_FIELD", "requests", "", "expected 1 to 10000, got 10001"}},
		"of another project": {second(l.floatingIPs.BatchRelease(as(t.Context(), "dev"), &buoyv1.BatchReleaseRequest{Requests: []*buoyv1.ReleaseRequest{
			{Name: "projects/dev/floatingIps/x"}, {Name: web1}}})),
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "requests[1].name", web1, web1 + " does not exist"}},
		"associated": {second(l.floatingIPs.BatchRelease(t.Context(), release)),
			refusal{codes.FailedPrecondition, "RESOURCE_IN_USE", "requests[0].name", name(0),
				name(0) + " is associated with interface tap-b0 of computeNodes/cmp1; disassociate it first"}},
	} {
		t.Run(what, func(t *testing.T) { tt.want.check(t, tt.err) })
	}
	if now := l.follower.State().Revision(); now != before {
		t.Errorf("revision %d, want %d: nothing was to be changed", now, before)
	}
}

func second[T any](_ T, err error) error { return err }
