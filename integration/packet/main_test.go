package packet

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/lab/guest"
)

// inGuest says that this is the kernel that the tests need, and whose every namespace is
// theirs.
var inGuest = flag.Bool("guest", false, "run for real: this is a guest that make lab has booted")

// all makes the tests do what they do only in make lab-all.
var all = flag.Bool("all", false, "run every scenario")

// shell leaves an operator in the network, in place of tests.
var shell = flag.Bool("shell", false, "run no tests but a shell")

// programs are built before the guest boots.
var programs struct {
	lab.Programs
	before string // a buoyd of an earlier version, with -all
	agent  string
}

func TestMain(m *testing.M) {
	flag.Parse()
	if !*inGuest {
		fmt.Println("skipped: these tests need a kernel with MPLS, GRE and VRFs; make lab has one")
		return
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		panic(err)
	}
	programs.Buoyd, programs.Buoyctl, programs.agent = filepath.Join(bin, "buoyd"), filepath.Join(bin, "buoyctl"), filepath.Join(bin, "buoy-agent")
	programs.before = filepath.Join(bin, "buoyd-before")
	run := m.Run
	if *shell {
		run = operate
	}
	status := run()
	if shared != nil {
		shared.stop(status != 0)
	}
	os.Exit(status)
}

// artefacts is where what a failed run leaves is found on the machine.
const artefacts = guest.OutFolder
