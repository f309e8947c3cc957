package api

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// FuzzReport reads whatever a compute node may send as a report: it is taken as it is, or
// refused with the field.
func FuzzReport(f *testing.F) {
	for _, r := range []*buoyv1.Report{
		{},
		{Complete: true, Interfaces: []*buoyv1.ComputeInterface{{Name: "tap0", State: buoyv1.ComputeInterface_UP}}},
		{Interfaces: []*buoyv1.ComputeInterface{{Name: "tap1", State: buoyv1.ComputeInterface_UNHEALTHY, Reason: "no ARP", Preference: buoyv1.ComputeInterface_BACKUP}, {State: 9}}},
	} {
		text, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r buoyv1.Report
		if proto.Unmarshal(text, &r) != nil {
			return
		}
		list, err := reportFromProto(&r)
		var refusal *inventory.Error
		if err != nil {
			if !errors.As(err, &refusal) || refusal.Field == "" || refusal.Code != inventory.InvalidArgument {
				t.Errorf("got %v, want a refusal of a field", err)
			}
			return
		}
		if len(list) != len(r.Interfaces) {
			t.Fatalf("got %d interfaces, want %d", len(list), len(r.Interfaces))
		}
		for i, p := range r.Interfaces {
			// The numbers happen to be the same on both sides.
			if got := list[i]; got.Name != p.GetName() || got.Reason != p.GetReason() || int32(got.State) != int32(p.GetState()) || int32(got.Preference) != int32(p.GetPreference()) {
				t.Errorf("got %+v, want %v", got, p)
			}
		}
	})
}
