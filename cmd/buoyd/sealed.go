package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// sealed reports whether the file system with a device number takes no writes although it
// is not mounted read-only: ext4 stops so after an error (errors=remount-ro) on recent
// kernels, and statfs does not tell.
func sealed(device uint64) bool {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer f.Close()
	return sealedIn(f, device)
}

// sealedIn reads what proc_pid_mountinfo(5) describes: the third field of a line is the
// device, the last one behind the " - " the options of the file system itself.
func sealedIn(mounts io.Reader, device uint64) bool {
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, system, ok := strings.Cut(lines.Text(), " - ")
		fields, last := strings.Fields(mount), strings.Fields(system)
		if !ok || len(fields) < 3 || fields[2] != number || len(last) == 0 {
			continue
		}
		options := strings.Split(last[len(last)-1], ",")
		if slices.Contains(options, "ro") || slices.Contains(options, "emergency_ro") {
			return true
		}
	}
	return false
}
