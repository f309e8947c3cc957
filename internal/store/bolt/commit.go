package bolt

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
)

// commit is one call of Commit on its way through run. The caller writes it
// until it is sent; run writes revision and err and then closes done.
type commit struct {
	mutations []inventory.Mutation
	steps     []history.Step
	stored    [][]byte // for each Put: room for the version, then the value
	done      chan struct{}

	revision uint64
	err      error
}

// newCommit copies the mutations, since the caller may go away when its context
// ends, and refuses what bbolt would refuse: that would fail the whole group.
func newCommit(mutations []inventory.Mutation, steps []history.Step) (*commit, error) {
	c := &commit{
		mutations: make([]inventory.Mutation, len(mutations)),
		steps:     steps,
		stored:    make([][]byte, len(mutations)),
		done:      make(chan struct{}),
	}
	written := make(map[string]struct{}, len(mutations))
	for i, m := range mutations {
		if err := validate(m); err != nil {
			return nil, fmt.Errorf("%q: %w", m.Key, err)
		}
		if m.Op == inventory.Put || m.Op == inventory.Delete {
			if _, ok := written[m.Key]; ok {
				return nil, fmt.Errorf("%q: written twice", m.Key)
			}
			written[m.Key] = struct{}{}
		}
		if m.Op == inventory.Put {
			c.stored[i] = make([]byte, versionSize+len(m.Value))
			copy(c.stored[i][versionSize:], m.Value)
		}
		m.Value = nil
		c.mutations[i] = m
	}
	return c, nil
}

func validate(m inventory.Mutation) error {
	switch {
	case m.Op > inventory.CheckPrefix:
		return fmt.Errorf("unknown operation %d", m.Op)
	case m.Op == inventory.CheckPrefix:
		return nil // of any prefix, even the empty one
	case m.Key == "":
		return errors.New("the key is empty")
	case len(m.Key) > bbolt.MaxKeySize:
		return fmt.Errorf("the key has %d bytes, more than %d", len(m.Key), bbolt.MaxKeySize)
	case len(m.Value) > bbolt.MaxValueSize-versionSize:
		return fmt.Errorf("the value has %d bytes, more than %d", len(m.Value), bbolt.MaxValueSize-versionSize)
	}
	return nil
}
