package metrics

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// census runs one in a bubble in which time passes only when everybody waits.
func census(t *testing.T, count func() (FloatingIPs, error), test func(c *Census, failures *int)) {
	synctest.Test(t, func(t *testing.T) {
		c, failures := NewCensus(count), 0
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(ctx, func(error) { failures++ })
		}()
		test(c, &failures)
		cancel()
		<-done
	})
}

// TestCensusFast: with few floating IPs who asks gets a count that began after that.
func TestCensusFast(t *testing.T) {
	counted := 0
	census(t, func() (FloatingIPs, error) { counted++; return FloatingIPs{Allocated: counted}, nil }, func(c *Census, _ *int) {
		for i := range 5 {
			if n := c.Latest(); n.Allocated != i+1 || n.At.IsZero() {
				t.Errorf("round %d: got %+v", i, n)
			}
			synctest.Wait()
		}
	})
}

// TestCensusSlow: with many, who asks gets the count of before, and they are counted a
// tenth of the time at most.
func TestCensusSlow(t *testing.T) {
	const took = time.Second
	counted := 0
	census(t, func() (FloatingIPs, error) { time.Sleep(took); counted++; return FloatingIPs{Allocated: counted}, nil }, func(c *Census, _ *int) {
		began := time.Now()
		if n := c.Latest(); !n.At.IsZero() || time.Since(began) != countWait {
			t.Errorf("got %+v after %v", n, time.Since(began))
		}
		time.Sleep(2 * took)
		began = time.Now()
		if n := c.Latest(); n.Allocated != 1 || time.Since(began) != 0 {
			t.Errorf("got %+v after %v", n, time.Since(began))
		}
		for range 1000 {
			c.Latest()
			time.Sleep(took / 10)
		}
		if counted < 10 || counted > 11 {
			t.Errorf("counted %d times in 103 s, want one in ten", counted)
		}
	})
}

// TestCensusFails: the count of before stays.
func TestCensusFails(t *testing.T) {
	var err error
	census(t, func() (FloatingIPs, error) { return FloatingIPs{Pending: 7}, err }, func(c *Census, failures *int) {
		before := c.Latest()
		synctest.Wait()
		err = errors.New("no")
		if n := c.Latest(); n != before || *failures != 1 {
			t.Errorf("got %+v and %d failures, want %+v", n, *failures, before)
		}
	})
}
