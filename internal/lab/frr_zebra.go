package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNeedsRoot: FRR learns of VRFs from zebra, which needs namespaces.
var ErrNeedsRoot = errors.New("the VRFs of FRR need root, with CAP_SYS_ADMIN and CAP_NET_ADMIN")

// frrZebraWorld is a zebra in a network of its own. The VRFs of a kernel need
// modules that it may not have, and a zebra on the machine's own network would
// meddle with it; here zebra sees nothing but
//
//   - a TUN device that it takes for a GRE tunnel to all compute nodes, and to
//     Buoy,
//   - network namespaces, which it takes for VRFs (its option -n).
//
// Routes are imported as on a real gateway, but not installed. bgpd stays on
// the machine's network, so that its sessions are like those of any other
// gateway. It believes zebra what leads where. On a Wire both are at the
// gateway's end, and see the devices that are there.
//
// Nothing of this is visible outside: the names of namespaces are files below
// /run, and that is a file system of this world's own. Nothing needs cleaning
// up: when its processes and its descriptors are gone, however they end, the
// kernel takes it all away.
type frrZebraWorld struct {
	net, mount *os.File // the namespaces
	zebra      *Process
}

// Where zebra's sockets are, in this world.
const (
	frrRun         = "/run/frr"
	frrZebraSocket = frrRun + "/zserv.api"
)

// frrTunnel is the TUN device.
const frrTunnel = "gre1"

// startFRRZebra makes a world and starts zebra in it.
func startFRRZebra(ctx context.Context, config GatewayConfig) (*frrZebraWorld, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNeedsRoot
	}
	frr, err := user.Lookup("frr")
	if err != nil {
		return nil, err
	}
	w := &frrZebraWorld{}
	made := make(chan error)
	go func() {
		// The thread changes its namespaces and so must never be used for
		// anything else: it ends with a goroutine that does not unlock it.
		runtime.LockOSThread()
		made <- w.furnish(ctx, frr, config.Wire)
	}()
	if err := <-made; err != nil {
		w.close()
		return nil, fmt.Errorf("make a network for zebra: %w", err)
	}

	// zebra insists on being the package's user. Changing the user loses the
	// signal at the parent's death, so setpriv asks for it anew.
	const capabilities = "+net_admin,+net_raw,+sys_admin"
	args := []string{"--reuid", "frr", "--regid", "frr", "--init-groups",
		"--inh-caps", capabilities, "--ambient-caps", capabilities}
	if !config.Detached {
		args = append(args, "--pdeathsig", "KILL")
	}
	args = append(args, frrZebra, "-n", "-f", os.DevNull, "-i", frrRun+"/zebra.pid", "-z", frrZebraSocket,
		"--vty_socket", frrRun, "-P", "0", "--log", "stdout")
	w.zebra, err = w.enter(Command{Path: "/usr/bin/setpriv", Args: args, Log: filepath.Join(config.Dir, "frr.log"), Detached: config.Detached}, w.net, w.mount).Start()
	if err != nil {
		w.close()
		return nil, err
	}
	// bgpd must find it: without it, it takes seconds to try again.
	err = w.zebra.Ready(ctx, func(ctx context.Context) error {
		return w.run(ctx, "test", "-S", frrZebraSocket)
	})
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// furnish moves the thread into new namespaces and makes what zebra is to see.
// A wire has a network already.
func (w *frrZebraWorld) furnish(ctx context.Context, frr *user.User, wire *Wire) (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		if errors.Is(err, unix.EPERM) {
			err = ErrNeedsRoot
		}
		return err
	}
	if wire != nil {
		if err := unix.Setns(int(wire.gateway.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
	}
	if w.net, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	if w.mount, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
		return err
	}
	uid, uidErr := strconv.Atoi(frr.Uid)
	gid, gidErr := strconv.Atoi(frr.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := mountTmpfs("/run", 0, 0); err != nil {
		return err
	}
	// zebra looks for it only when it starts.
	if err := os.Mkdir("/run/netns", 0o755); err != nil {
		return err
	}
	// Where the daemons have sockets, and leave files when they are killed.
	for _, dir := range []string{frrRun, "/var/tmp/frr"} {
		if err := mountTmpfs(dir, uid, gid); err != nil {
			return err
		}
	}
	if wire != nil {
		return nil
	}
	if err := makeGRETun(frrTunnel); err != nil {
		return fmt.Errorf("make the TUN device %s: %w", frrTunnel, err)
	}
	for _, command := range []string{"link set lo up", "link set " + frrTunnel + " up",
		// Everything is behind the tunnel. By default a next hop is not
		// resolved with a default route, so there are two halves of it.
		"route add 0.0.0.0/1 dev " + frrTunnel, "route add 128.0.0.0/1 dev " + frrTunnel,
		"-6 route add ::/1 dev " + frrTunnel, "-6 route add 8000::/1 dev " + frrTunnel,
	} {
		if err := runWell(ctx, Command{Path: "ip", Args: strings.Fields(command)}); err != nil {
			return err
		}
	}
	return nil
}

// mountTmpfs mounts an empty file system on a folder, and makes that if need
// be.
func mountTmpfs(dir string, uid, gid int) error {
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.Chown(dir, uid, gid)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=755,uid=%d,gid=%d", uid, gid))
	}
	if err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", dir, err)
	}
	return nil
}

// makeGRETun makes a TUN device that says that it is a GRE tunnel. It stays
// until its network namespace goes.
func makeGRETun(name string) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	fd := int(f.Fd())
	return errors.Join(
		unix.IoctlIfreq(fd, unix.TUNSETIFF, request),
		unix.IoctlSetInt(fd, unix.TUNSETLINK, unix.ARPHRD_IPGRE),
		unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1),
	)
}

// addVRF makes what zebra takes for a VRF. It notices.
func (w *frrZebraWorld) addVRF(ctx context.Context, name string) error {
	return w.run(ctx, "ip", "netns", "add", name)
}

// enter returns the command run in namespaces of this world.
func (w *frrZebraWorld) enter(c Command, namespaces ...*os.File) Command {
	var args []string
	for _, ns := range namespaces {
		option := "--net"
		if ns == w.mount {
			option = "--mount"
		}
		args = append(args, fmt.Sprintf("%s=/proc/%d/fd/%d", option, os.Getpid(), ns.Fd()))
	}
	c.Path, c.Args = "/usr/bin/nsenter", append(append(args, "--", c.Path), c.Args...)
	return c
}

// mounts returns a command that sees the files of this world, but has the
// network of the machine.
func (w *frrZebraWorld) mounts(c Command) Command { return w.enter(c, w.mount) }

// run runs a program in this world.
func (w *frrZebraWorld) run(ctx context.Context, program string, args ...string) error {
	return runWell(ctx, w.enter(Command{Path: program, Args: args}, w.net, w.mount))
}

// close ends zebra and leaves the world to the kernel.
func (w *frrZebraWorld) close() {
	if w == nil {
		return
	}
	if w.zebra != nil {
		// There is nobody to say goodbye to, and on SIGTERM 8.4.4 crashes.
		w.zebra.Kill()
	}
	for _, ns := range []*os.File{w.net, w.mount} {
		if ns != nil {
			ns.Close()
		}
	}
}
