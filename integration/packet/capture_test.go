package packet

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// capture writes what passes the underlay's end of a machine into a file.
func capture(ctx context.Context, namespace, file string, args ...string) (*lab.Process, error) {
	p, err := lab.Command{
		Path: "/usr/bin/dumpcap",
		Args: append([]string{"-q", "-i", "eth0", "-w", file}, args...),
		Log:  file + ".log",
	}.At(namespace).Start()
	if err != nil {
		return nil, err
	}
	return p, p.Ready(ctx, func(context.Context) error {
		if text := lab.Tail(file+".log", 10); !strings.Contains(text, "File: ") {
			return fmt.Errorf("dumpcap says %q", text)
		}
		return nil
	})
}

// TestCapture: on the wire a packet to a workload is in a tunnel from the gateway to its
// compute node, with the label of its interface; the answer is in one back, with a label
// of the gateway. Between the workload and its compute node there is neither.
func TestCapture(t *testing.T) {
	w := take(t)
	for _, tt := range []struct {
		name, address string
		node          int
		protocols     string
	}{
		{"gre", overGRE, 0, "eth:ethertype:ip:gre:mpls:ip:icmp:data"},
		{"udp", overUDP, 1, "eth:ethertype:ip:udp:mpls:ip:icmp:data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.answers(t, tt.address)
			// What was captured is written a while later.
			eventually(t, "packets in both directions are captured", func(context.Context) error {
				there, back := 0, 0
				for _, f := range w.captured(t, "icmp && ip.addr == "+tt.address+" && ip.addr == "+clientAddr.String()+" && (icmp.type == 0 || icmp.type == 8)") {
					switch {
					case f.protocols != tt.protocols:
						t.Fatalf("got %+v, want %s", f, tt.protocols)
					case f.src == gatewayAddr.String()+","+clientAddr.String() && f.dst == nodeAddrs[tt.node].String()+","+tt.address && f.label == fmt.Sprint(label+tt.node):
						there++
					case f.src == nodeAddrs[tt.node].String()+","+tt.address && f.dst == gatewayAddr.String()+","+clientAddr.String() && f.label != "":
						back++
					default:
						t.Fatalf("got %+v", f)
					}
				}
				if there < 5 || back < 5 {
					return fmt.Errorf("%d packets to the compute node, %d back", there, back)
				}
				return nil
			})
		})
	}
}

// frame is what tshark says of one.
type frame struct{ protocols, src, dst, label string }

// captured returns the frames of the gateway's capture that pass a filter.
func (w *world) captured(t *testing.T, filter string) (frames []frame) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(artefacts, "gateway_*.pcapng"))
	if err != nil || len(files) == 0 {
		t.Fatal("nothing is captured: ", err)
	}
	text, err := output(t.Context(), lab.Command{Path: "/usr/bin/tshark", Args: []string{"-r", slices.Max(files), "-Y", filter, "-T", "fields",
		"-e", "frame.protocols", "-e", "ip.src", "-e", "ip.dst", "-e", "mpls.label"}, Env: []string{"HOME=/root"}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) != 4 {
			t.Fatalf("tshark: got %q", line)
		}
		frames = append(frames, frame{fields[0], fields[1], fields[2], fields[3]})
	}
	return frames
}
