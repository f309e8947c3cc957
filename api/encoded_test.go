package api

import (
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestManyParts: a request of very many empty documents is refused before it is
// read.
func TestManyParts(t *testing.T) {
	for n, want := range map[int]string{2 * largeRequest: "expected at most 320000 parts", largeRequest/2 + 1: "expected at most 320000 parts", maxParts - 1: ""} {
		req := &buoyv1.ApplyRequest{Documents: make([]*buoyv1.Document, n)}
		for i := range req.Documents {
			req.Documents[i] = &buoyv1.Document{}
		}
		text, err := proto.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		err = newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(text)}, &buoyv1.ApplyRequest{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d documents in %d bytes: got %v, want %q", n, len(text), err, want)
		}
	}
	if err := countParts([]byte{0xff}); err == nil {
		t.Error("what is no message was taken")
	}
}
