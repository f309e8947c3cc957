package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Where Debian's packages have them. The package tshark brings dumpcap along,
// which captures alone: tshark itself would first look at all interfaces, for
// seconds.
const (
	tsharkProgram  = "/usr/bin/tshark"
	dumpcapProgram = "/usr/bin/dumpcap"
)

// Capture records what is said on the BGP port of a lab's network, for tshark
// to read: code that shares nothing with Buoy or a router. It must be started
// by root.
type Capture struct {
	dir     string
	process *Process
}

// StartCapture starts to record and waits until nothing is missed. The folder
// is for the file and the log.
func StartCapture(ctx context.Context, dir string, network Loopback) (*Capture, error) {
	c := &Capture{dir: dir}
	process, err := Command{
		Path: dumpcapProgram,
		Args: []string{"-q", "-i", "lo", "-f", fmt.Sprintf("tcp port %d and net %s", bgpPort, network.prefix), "-w", c.File()},
		Dir:  dir,
		Log:  c.LogFile(),
	}.Start()
	if err != nil {
		return nil, err
	}
	c.process = process
	err = process.Ready(ctx, func(context.Context) error {
		log, err := os.ReadFile(c.LogFile())
		if err == nil && !strings.Contains(string(log), "File: ") { // written once it listens
			err = errors.New("the capture has not started")
		}
		return err
	})
	if err != nil {
		process.Kill()
		return nil, err
	}
	return c, nil
}

// File returns the path of the capture. Wireshark opens it, too.
func (c *Capture) File() string { return filepath.Join(c.dir, "bgp.pcapng") }

// LogFile returns the path of the log.
func (c *Capture) LogFile() string { return filepath.Join(c.dir, "dumpcap.log") }

// Stop ends the recording.
func (c *Capture) Stop() error { return c.process.Stop() }

// Updates returns the UPDATE messages that one address has sent to another so
// far, each as tshark explains it. The last ones may not be in the file yet.
func (c *Capture) Updates(ctx context.Context, from, to netip.Addr) ([]string, error) {
	result, err := Command{
		Path: tsharkProgram,
		Args: []string{"-n", "-r", c.File(),
			"-d", fmt.Sprintf("tcp.port==%d,bgp", bgpPort),
			"-Y", fmt.Sprintf("bgp.type==2 && ip.src==%s && ip.dst==%s", from, to),
			"-O", "bgp"},
		// No settings of whoever runs it.
		Env: []string{"LC_ALL=C", "WIRESHARK_CONFIG_DIR=" + c.dir},
		Dir: c.dir,
	}.Run(ctx)
	if err != nil {
		return nil, err
	}
	if result.Code != 0 {
		return nil, fmt.Errorf("tshark: exit status %d: %s", result.Code, strings.TrimSpace(result.Stderr))
	}
	return updatesOfTShark(result.Stdout), nil
}

// tsharkUpdate is the title of an UPDATE in what tshark writes. What belongs to
// it is indented; a packet may have several messages.
const tsharkUpdate = "Border Gateway Protocol - UPDATE Message"

// tsharkBits are lines that show single bits. The line above them names those
// that are set.
var tsharkBits = regexp.MustCompile(`^ +[01.]{4} [01.]{4} = `)

// updatesOfTShark returns the UPDATE messages alone: nothing of the packets
// around them and of other messages, and no marker.
func updatesOfTShark(text string) []string {
	var updates []string
	inside := false
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			if inside = strings.TrimSpace(line) == tsharkUpdate; inside {
				updates = append(updates, "")
			}
		}
		if inside && !tsharkBits.MatchString(line) && !strings.HasPrefix(line, "    Marker: ") {
			updates[len(updates)-1] += line
		}
	}
	return updates
}
