package computenode

import (
	"google.golang.org/protobuf/proto"
)

// networked is a floating IP or a route.
type networked interface {
	proto.Message
	comparable
	GetNetwork() string
}

// table is one half of the mirror. It is owned by it.
type table[K comparable, V networked] struct {
	key  func(V) K
	rows map[K]row[V]
	// What a snapshot has mentioned; nil outside of one.
	mentioned map[K]bool
}

// row is what is programmed, as far as that is known.
type row[V networked] struct {
	has    V    // what Program took last; nil when it has taken none
	newest V    // what it was told last
	doubt  bool // Program has failed at it: what is there is not known
}

func newTable[K comparable, V networked](key func(V) K) table[K, V] {
	return table[K, V]{key: key, rows: map[K]row[V]{}}
}

// plan is what is to be done with a table. Nothing changes until Program was asked.
type plan[K comparable, V networked] struct {
	removed map[K]bool
	changed map[K]V
	order   []K // of changed
}

func (t *table[K, V]) plan() *plan[K, V] {
	return &plan[K, V]{removed: map[K]bool{}, changed: map[K]V{}}
}

// remove plans to remove what a table has. It returns what that was.
func (t *table[K, V]) remove(p *plan[K, V], keys ...K) (list []V) {
	for _, k := range keys {
		delete(t.mentioned, k)
		if r, ok := t.rows[k]; ok && !p.removed[k] {
			p.removed[k] = true
			list = append(list, r.newest)
		}
	}
	return list
}

// change plans what is new or changed. What is programmed as it should be is left out.
func (t *table[K, V]) change(p *plan[K, V], list []V) (changes []Change[V]) {
	for _, v := range list {
		k := t.key(v)
		if t.mentioned != nil {
			t.mentioned[k] = true
		}
		if _, twice := p.changed[k]; !twice {
			p.order = append(p.order, k)
		}
		p.changed[k] = v
	}
	for _, k := range p.order {
		c := Change[V]{New: p.changed[k]}
		if r, ok := t.rows[k]; ok && !p.removed[k] {
			if !r.doubt && proto.Equal(r.has, c.New) {
				continue
			}
			c.Old = r.has
		}
		changes = append(changes, c)
	}
	return changes
}

// unmentioned returns the keys of what a snapshot has not mentioned, now that it ends.
func (t *table[K, V]) unmentioned() (keys []K) {
	if t.mentioned == nil {
		return nil // no snapshot has begun: nothing goes
	}
	for k := range t.rows {
		if !t.mentioned[k] {
			keys = append(keys, k)
		}
	}
	return keys
}

// commit notes that a plan was carried out.
func (t *table[K, V]) commit(p *plan[K, V]) {
	for k := range p.removed {
		delete(t.rows, k)
	}
	for k, v := range p.changed {
		t.rows[k] = row[V]{has: v, newest: v}
	}
}

// doubt notes that a plan has failed: what it names may be there or not. What it did not
// have to touch it does not name.
func (t *table[K, V]) doubt(p *plan[K, V], changes []Change[V]) {
	for k := range p.removed {
		r := t.rows[k]
		r.doubt = true
		t.rows[k] = r
	}
	for _, c := range changes {
		r := t.rows[t.key(c.New)]
		r.newest, r.doubt = c.New, true
		t.rows[t.key(c.New)] = r
	}
}

// keep takes out of networks those of which a table will have something, once a plan is
// carried out.
func (t *table[K, V]) keep(p *plan[K, V], networks map[string]bool) {
	for _, v := range p.changed {
		delete(networks, v.GetNetwork())
	}
	for k, r := range t.rows {
		if len(networks) == 0 {
			return
		}
		if _, changed := p.changed[k]; !changed && !p.removed[k] {
			delete(networks, r.newest.GetNetwork())
		}
	}
}

// programmed returns what Program has taken.
func (t *table[K, V]) programmed() []V {
	var none V
	list := make([]V, 0, len(t.rows))
	for _, r := range t.rows {
		if r.has != none {
			list = append(list, r.has)
		}
	}
	return list
}
