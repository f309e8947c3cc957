package contract

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
)

// labelled marks all goroutines that a clause starts from now on, however
// indirectly: other clauses run at the same time.
func (w *world) labelled() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("clause", w.Name())))
}

// goroutines returns how many there are of this clause.
func (w *world) goroutines() (n int) {
	var profile bytes.Buffer
	w.must(pprof.Lookup("goroutine").WriteTo(&profile, 1))
	label := fmt.Sprintf("%q:%q", "clause", w.Name())
	count := 0
	for lines := bufio.NewScanner(&profile); lines.Scan(); {
		// "3 @ 0x46b4ae …", and below it "# labels: {…}" when there are any.
		if first, _, ok := strings.Cut(lines.Text(), " @ "); ok {
			count, _ = strconv.Atoi(first)
		} else if strings.HasPrefix(lines.Text(), "# labels:") && strings.Contains(lines.Text(), label) {
			n += count
		}
	}
	return n
}

// noMoreGoroutines waits until what has ended is gone.
func (w *world) noMoreGoroutines(than int) {
	w.Helper()
	w.eventually("no goroutine is left over", func() error {
		if n := w.goroutines(); n > than {
			return fmt.Errorf("there are %d, there were %d", n, than)
		}
		return nil
	})
}

// sockets returns how many sockets the process has open.
func sockets() (n int) {
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}
