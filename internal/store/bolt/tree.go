package bolt

import (
	"bytes"
	"fmt"
)

// tree is the walk through one bucket; owned by whoever walks.
type tree struct {
	*checker
	flags uint32 // of every element
	visit func(key, value []byte) error
	order order
}

// page visits a page whose first key is low, unless that is nil, and whose keys are,
// unless high is nil, below high: otherwise a lookup would not find them, and a write
// would leave the old page in its place.
func (t *tree) page(id uint64, depth int, low, high []byte) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d: the tree is too deep", id)
	}
	p, err := t.readPage(id)
	if err != nil {
		return err
	}
	switch p.flags() {
	case leafFlag:
		return t.leaf(p, low, high)
	case branchFlag:
		return t.branch(p, depth, low, high)
	}
	return fmt.Errorf("page %d is of type %#x", id, p.flags())
}

func (t *tree) branch(p page, depth int, low, high []byte) error {
	if p.count() == 0 {
		return fmt.Errorf("page %d is an empty branch", p.id())
	}
	var children order
	for i := range p.count() {
		key, child, err := p.branchElement(i)
		if err != nil {
			return err
		}
		if i == 0 && low != nil && !bytes.Equal(key, low) {
			return fmt.Errorf("page %d begins with another key than its parent says", p.id())
		}
		if err := children.next(key, low, high); err != nil {
			return fmt.Errorf("page %d: %w", p.id(), err)
		}
		end := high
		if i+1 < p.count() {
			if end, _, err = p.branchElement(i + 1); err != nil {
				return err
			}
		}
		if err := t.page(child, depth+1, key, end); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) leaf(p page, low, high []byte) error {
	for i := range p.count() {
		flags, key, value, err := p.leafElement(i)
		if err != nil {
			return err
		}
		if i == 0 && low != nil && !bytes.Equal(key, low) {
			return fmt.Errorf("page %d begins with another key than its parent says", p.id())
		}
		if flags != t.flags {
			return fmt.Errorf("page %d: element %d is of type %#x", p.id(), i, flags)
		}
		if err := t.order.next(key, low, high); err != nil {
			return fmt.Errorf("page %d: %w", p.id(), err)
		}
		if err := t.visit(key, value); err != nil {
			return err
		}
	}
	return nil
}
