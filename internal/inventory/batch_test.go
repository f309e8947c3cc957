package inventory

import (
	"errors"
	"fmt"
	"testing"
)

// TestBatch: all commands are carried out as one change, each on the outcome of
// those before it, or none is.
func TestBatch(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"))
	var batch Batch
	for i := range 100 {
		batch = append(batch, Allocate{Name: fip(i), Network: public}, associate(fip(i), cmp1, fmt.Sprint("tap", i), 0))
	}
	revision := w.store.revision
	w.do(batch)
	if w.store.revision != revision+1 {
		t.Errorf("revision %d, want %d", w.store.revision, revision+1)
	}
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
	addresses := map[string]bool{}
	for f := range w.state.FloatingIPs("") {
		addresses[f.Address.String()] = true
	}
	if len(addresses) != 100 {
		t.Errorf("%d addresses", len(addresses))
	}

	before := dump(w.state)
	_, err := Plan(w.state, w.now, Batch{Release{fip("new")}})
	var item *ItemError
	if !errors.As(err, &item) || item.Item != 0 {
		t.Errorf("got %v", err)
	}
	_, err = Plan(w.state, w.now, Batch{Disassociate{Name: fip(1)}, Release{fip(1)}, Release{fip(2)}, Release{fip(3)}})
	var refused *Error
	if !errors.As(err, &item) || item.Item != 2 || !errors.As(err, &refused) || refused.Reason != ReasonAssociated && refused.Reason != ReasonInUse {
		t.Errorf("got %v", err)
	}
	if got := dump(w.state); got != before {
		t.Errorf("a refused batch has changed the state:\n got %s\nwant %s", got, before)
	}
}

// TestIfUnchanged: what was changed since it was read is not changed again.
func TestIfUnchanged(t *testing.T) {
	w := newWorld(t, &Neighbor{Settings: settings("static", "10.0.0.9")})
	w.do(network(public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/25"), BindPool{GlobalBindingName, poolA}, node(cmp1, "10.0.0.11"),
		CreateNeighbor{settings("mx1", "10.0.0.1")}, Allocate{Name: web})
	for _, name := range []string{public, poolA, GlobalBindingName, cmp1, "neighbors/mx1", web, GlobalName} {
		held, ok := w.state.held(name)
		version, etag := held.version, held.etag
		if again, err := ParseEtag(etag.String()); !ok || version == 0 || again != etag || err != nil {
			t.Errorf("%s: version %d, etag %s", name, version, etag)
			continue
		}
		change := associate(web, cmp1, "tap0", 100)
		w.refused(name, IfUnchanged{name, etag + 1, change}, Error{Code: Aborted, Reason: ReasonChanged, Field: "etag", Resource: name,
			Message: name + " has changed since it was read; read it again"})
		if _, err := Plan(w.state, w.now, IfUnchanged{name, etag, change}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.refused("gone", IfUnchanged{mail, 3, Release{mail}}, *notFound("name", mail))
	w.refused("from the file", IfUnchanged{"neighbors/static", 7, DeleteNeighbor{"neighbors/static"}}, Error{Code: Aborted, Reason: ReasonChanged,
		Field: "etag", Resource: "neighbors/static", Message: "neighbors/static has changed since it was read; read it again"})

	etag, _ := w.state.EtagOf(web)
	first, second := IfUnchanged{web, etag, associate(web, cmp1, "tap0", 100)}, IfUnchanged{web, etag, Release{web}}
	stale, err := Plan(w.state, w.now, second)
	if err != nil {
		t.Fatal(err)
	}
	w.do(first)
	if _, conflict := w.store.commit(stale); conflict == "" {
		t.Error("a plan on what has changed was committed")
	}
	d := NewDraft(w.state, w.now)
	if err := d.Do(Disassociate{Name: web}); err != nil {
		t.Fatal(err)
	}
	state, _ := d.State()
	etag, _ = state.EtagOf(web)
	if err := d.Do(IfUnchanged{web, etag, Release{web}}); err != nil {
		t.Errorf("in a draft: %v", err)
	}
	w.commit(d.Mutations())
}
