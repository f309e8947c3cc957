package bolt

import (
	"context"
	"sync"

	"github.com/buoynet/buoy/internal/store"
)

// changeSize is what a change takes beside its key and value, about.
const changeSize = 64

// queue holds the events that a watcher has not yet seen.
type queue struct {
	limit int
	wake  chan struct{} // holds one token when next should look again

	mu     sync.Mutex
	events []store.Event
	size   int   // of events, in bytes
	err    error // what next returns after the events
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1)}
}

// push adds an event. When the limit is exceeded, the queue ends with
// ErrLagging and forgets everything. A single event always fits.
func (q *queue) push(event store.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	size := sizeOf(event)
	if len(q.events) > 0 && q.size+size > q.limit {
		q.events, q.size, q.err = nil, 0, store.ErrLagging
	} else {
		q.events = append(q.events, event)
		q.size += size
	}
	q.signal()
}

// end lets next return err after the events that are queued.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for an event. Only one goroutine may call it.
func (q *queue) next(ctx context.Context) (store.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return store.Event{}, err
		}
		if event, ok, err := q.pop(); ok || err != nil {
			return event, err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
		}
	}
}

func (q *queue) pop() (event store.Event, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return store.Event{}, false, q.err
	}
	event = q.events[0]
	q.events[0] = store.Event{} // let go of the values
	q.events = q.events[1:]
	q.size -= sizeOf(event)
	return event, true, nil
}

func sizeOf(event store.Event) int {
	size := changeSize
	for _, c := range event.Changes {
		size += changeSize + len(c.Key) + len(c.Value)
	}
	return size
}
