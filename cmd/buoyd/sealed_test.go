package main

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A file system that the kernel has made read-only is found by its device.
func TestSealed(t *testing.T) {
	const before = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\nodd\n23 22 7:1 / /a rw - ext4 /dev/loop1 ro\n"
	for line, want := range map[string]bool{
		"30 22 7:0 / /var/lib/buoy rw,relatime shared:1 - ext4 /dev/loop0 rw,errors=remount-ro":              false,
		"30 22 7:0 / /var/lib/buoy rw,relatime shared:1 - ext4 /dev/loop0 rw,errors=remount-ro,emergency_ro": true,
		"30 22 7:0 / /var/lib/buoy rw,relatime - ext4 /dev/loop0 ro,errors=remount-ro":                       true,
		"30 22 7:0 / /var/lib/buoy rw,relatime":                                                              false,
		"30 22 7:0 / /var/lib/buoy rw,relatime - ":                                                           false,
		"30 22 7:2 / /var/lib/buoy rw - ext4 /dev/loop2 ro":                                                  false,
	} {
		if got := sealedIn(strings.NewReader(before+line+"\n"), unix.Mkdev(7, 0)); got != want {
			t.Errorf("%s: got %t", line, got)
		}
	}
	if sealed(unix.Mkdev(4095, 77)) {
		t.Error("a device that is not mounted is sealed")
	}
}
