package packet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// welcome is what an operator in the lab reads first.
const welcome = `
client ── gw ──┬── cmp1 ── w1      floating IPs: 203.0.113.5 at w1, over GRE
               ├── cmp2 ── w2                    203.0.113.6 at w2, over UDP
               ├── control1                      203.0.113.7 at both
               └── control2                      203.0.113.8 at w1, .9 at w2 before w1, 2001:db8:f::5 at w1

  at client ping -c 3 203.0.113.5     a command on one of the machines
  buoyctl get routes                  at control1; BUOY_SERVER=$CONTROL2 buoyctl ... at the other
  vtysh -c 'show bgp ipv4 vpn'        FRR on gw
  at gw tcpdump -ni eth0 -c 6 'proto gre or udp port 6635'
  at cmp1 nft list ruleset

Everything is some ten times as slow as on real machines. exit ends it.

`

// operate leaves an operator in the network, with the commands of the welcome.
func operate() (status int) {
	shared = &world{}
	fmt.Println("making the network; this takes a minute")
	if err := shared.make(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	for name, text := range map[string]string{
		"at":    `exec ip netns exec "$@"`,
		"vtysh": fmt.Sprintf(`exec /usr/bin/vtysh --vty_socket %q "$@"`, shared.gateway.dir),
	} {
		if err := os.WriteFile(filepath.Join(shared.dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Print(welcome)
	shell := exec.Command("/bin/bash", "--norc", "-i")
	shell.Env = append(os.Environ(), "PS1=lab# ", "PATH="+shared.dir+":"+os.Getenv("PATH"),
		"BUOY_SERVER="+shared.controls[0].Server(), "CONTROL2="+shared.controls[1].Server())
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := shell.Run(); err != nil {
		fmt.Println("the shell:", err)
	}
	return 0
}
