package api

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// encoded is a message as it goes over the wire.
type encoded []byte

// codec is gRPC's own, which also takes what is encoded already.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(encodingproto.Name)} }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if e, ok := v.(encoded); ok {
		return mem.BufferSlice{mem.SliceBuffer(e)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// largeRequest is from how many bytes on the parts of a request are counted
// before they are read: empty ones take a byte or two on the wire, and a hundred
// times as much in memory.
const largeRequest = 1 << 20

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if data.Len() > largeRequest {
		if err := countParts(data.Materialize()); err != nil {
			return err
		}
	}
	return c.CodecV2.Unmarshal(data, v)
}

// maxParts is how many parts a request may have to be read at all. With fewer, the
// method says how many it takes.
const maxParts = 16 * maxDocuments

// countParts refuses a message that has too many fields.
func countParts(message []byte) error {
	for n := 0; len(message) > 0; n++ {
		_, _, size := protowire.ConsumeField(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		if n >= maxParts {
			return fmt.Errorf("expected at most %d parts; make several requests of it", maxParts)
		}
		message = message[size:]
	}
	return nil
}

const (
	maxEncodings = 1024
	encodingTime = 50 * time.Millisecond // what is observed may be as old as this
)

// encodings are the messages that watchers were sent a moment ago. After a commit
// all of them want the same.
type encodings struct {
	mu   sync.Mutex
	last map[string]written // by name of the resource
}

type written struct {
	resource any // it was written when this was the resource
	sighting uint64
	at       time.Time
	message  encoded
}

func newEncodings() *encodings { return &encodings{last: map[string]written{}} }

// get returns the message for a resource, as it is seen after a sighting. Watchers
// that come meanwhile wait for the first one to write it.
func (e *encodings) get(name string, resource any, sighting uint64, write func() *buoyv1.WatchResponse) any {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, ok := e.last[name]; ok && last.resource == resource && last.sighting == sighting && time.Since(last.at) < encodingTime {
		return last.message
	}
	at := time.Now()
	m := write()
	text, err := proto.Marshal(m)
	if err != nil {
		return m // gRPC says so when it is sent
	}
	if len(e.last) >= maxEncodings {
		clear(e.last)
	}
	e.last[name] = written{resource, sighting, at, text}
	return encoded(text)
}
