package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
)

// change is a request that changes something.
type change interface {
	proto.Message
	GetRequestId() string
	GetValidateOnly() bool
}

// do carries out what a request asks for, under the conditions that it names,
// and returns a state for the answer, which is about some resources. With
// validate_only that state is one that never was.
func (v view) do(ctx context.Context, req change, c inventory.Command, names ...string) (*inventory.State, error) {
	c, err := onlyUnchanged(req, c, names)
	if err != nil {
		return nil, err
	}
	if req.GetValidateOnly() {
		return try(v.Inventory.State(), c)
	}
	if req.GetRequestId() != "" {
		if c, err = once(ctx, req, c, names); err != nil {
			return nil, err
		}
	}
	state, err := v.Inventory.Execute(ctx, c)
	if err != nil {
		return nil, err
	}
	return state.Answered(c)
}

// report is do for an answer that says what was before and what is after: write
// makes it of the outcome of the command.
func (v view) report(ctx context.Context, req change, c inventory.Command, outcome *inventory.Outcome, answer proto.Message,
	write func() proto.Message, names ...string) error {
	if req.GetRequestId() == "" || req.GetValidateOnly() {
		_, err := v.do(ctx, req, c, names...)
		if err == nil {
			proto.Merge(answer, write())
		}
		return err
	}
	c, err := onlyUnchanged(req, c, names)
	if err != nil {
		return err
	}
	only, err := once(ctx, req, c, names)
	if err != nil {
		return err
	}
	only.Report = func() []byte {
		text, err := proto.Marshal(write())
		if err != nil {
			panic("api: marshal an answer: " + err.Error()) // texts come from what was unmarshalled
		}
		return text
	}
	state, err := v.Inventory.Execute(ctx, only)
	if err != nil {
		return err
	}
	text, ok := state.Reported(only)
	if !ok { // it was the last of very many
		*outcome = inventory.Outcome{Before: state, After: state}
		proto.Merge(answer, write())
		return nil
	}
	return proto.Unmarshal(text, answer)
}

// once makes a command happen once under the id of its request.
func once(ctx context.Context, req change, c inventory.Command, names []string) (inventory.Once, error) {
	id := req.GetRequestId()
	if !requestID.MatchString(id) {
		return inventory.Once{}, invalid("request_id", fmt.Errorf("expected 1 to 128 of A-Z a-z 0-9 . _ : -, got %q", id))
	}
	return inventory.Once{ID: id, Scope: string(viewerOf(ctx)), Digest: digest(req), Names: names, Command: c}, nil
}

var requestID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// onlyUnchanged makes a command depend on the etag of its request.
func onlyUnchanged(req change, c inventory.Command, names []string) (inventory.Command, error) {
	conditional, ok := req.(interface{ GetEtag() string })
	if !ok || conditional.GetEtag() == "" {
		return c, nil
	}
	etag, err := inventory.ParseEtag(conditional.GetEtag())
	if err != nil {
		return nil, invalid("etag", fmt.Errorf("expected the etag of %s as it was read, got %q", names[0], conditional.GetEtag()))
	}
	return inventory.IfUnchanged{Name: names[0], Etag: etag, Command: c}, nil
}

// try carries out a command on a copy of a state and returns that.
func try(s *inventory.State, c inventory.Command) (*inventory.State, error) {
	d := inventory.NewDraft(s, time.Now())
	if err := d.Do(c); err != nil {
		return nil, err
	}
	return d.State()
}

// digest tells requests with different contents apart, whatever their id.
func digest(req change) string {
	m := proto.Clone(req).ProtoReflect()
	m.Clear(m.Descriptor().Fields().ByName("request_id"))
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
	if err != nil {
		panic("api: marshal what was unmarshalled: " + err.Error())
	}
	sum := sha256.Sum256(append([]byte(m.Descriptor().Name()+" "), content...))
	return hex.EncodeToString(sum[:16])
}
