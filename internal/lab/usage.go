package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Usage is what a process takes from the system.
type Usage struct {
	Memory  int // bytes of it that are in memory: VmRSS
	Files   int // open descriptors
	Threads int
	Started uint64 // when, in ticks of the kernel since it started itself
}

// UsageOf returns what a process takes now.
func UsageOf(pid int) (u Usage, err error) {
	dir := fmt.Sprint("/proc/", pid)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); name {
		case "VmRSS":
			if u.Memory, err = strconv.Atoi(strings.TrimSuffix(value, " kB")); err != nil {
				return u, err
			}
			u.Memory <<= 10
		case "Threads":
			if u.Threads, err = strconv.Atoi(value); err != nil {
				return u, err
			}
		}
	}
	files, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return u, err
	}
	u.Files = len(files)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return u, err
	}
	// The second field is a name in parentheses, with anything in it; the time
	// is the 22nd.
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	u.Started, err = strconv.ParseUint(fields[22-3], 10, 64)
	return u, err
}

// String returns "34.5 MB, 27 descriptors, 9 threads".
func (u Usage) String() string {
	return fmt.Sprintf("%.1f MB, %d descriptors, %d threads", float64(u.Memory)/(1<<20), u.Files, u.Threads)
}
