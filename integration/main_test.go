// Package integration tests the real programs: buoyd and buoyctl, and gobgpd
// as the gateway. It has nothing but tests.
package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// programs are what the tests run.
var programs lab.Programs

// buildTime is for a machine that has never built gobgpd.
const buildTime = 8 * time.Minute

// soak makes the tests that repeat something do so for minutes: make soak.
var soak = flag.Bool("soak", false, "run the long versions of the tests that have one")

// long chooses how much a test does.
func long[T any](short, soaking T) T {
	if *soak {
		return soaking
	}
	return short
}

func TestMain(m *testing.M) {
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	var err error
	programs, err = lab.Build(ctx, raceDetector())
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// raceDetector reports whether the test was built with it; buoyd then is, too.
func raceDetector() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
