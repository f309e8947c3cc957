package api

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type endpoint struct{ network, address string }

func (e endpoint) Network() string { return e.network }
func (e endpoint) Address() string { return e.address }

// shortDir returns a folder with a name that leaves room in a socket's path.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// dead leaves a socket behind that nobody listens on, as a killed daemon does.
func dead(t testing.TB, path string) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

func TestListen(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		err     string // "" when it must listen
	}{
		{name: "new"},
		{"stale socket", func(t *testing.T, path string) { dead(t, path) }, ""},
		{"live socket", func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, "another daemon listens there"},
		{"file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it exists and is not a socket"},
		{"folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "it exists and is not a socket"},
		{"link to a stale socket", func(t *testing.T, path string) {
			dead(t, path+"2")
			if err := os.Symlink(path+"2", path); err != nil {
				t.Fatal(err)
			}
		}, "it exists and is not a socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(shortDir(t), "s")
			if tt.prepare != nil {
				tt.prepare(t, path)
			}
			before, _ := os.Lstat(path)
			listeners, err := Listen(endpoint{"unix", path})
			if tt.err != "" {
				if want := "listen on " + path + ": " + tt.err; err == nil || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
				if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
					t.Errorf("what was there is gone: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("got %v, want a listener", err)
			}
			defer listeners[0].Close()
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := info.Mode(), fs.ModeSocket|0o660; got != want {
				t.Errorf("mode: got %s, want %s", got, want)
			}
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatalf("connect: got %v, want a connection", err)
			}
			conn.Close()
		})
	}
}

func TestListenMakesFolder(t *testing.T) {
	path := filepath.Join(shortDir(t), "run", "buoy", "s")
	listeners, err := Listen(endpoint{"unix", path})
	if err != nil {
		t.Fatal(err)
	}
	listeners[0].Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket after Close: got %v, want that it does not exist", err)
	}
}

func TestListenTCP(t *testing.T) {
	first, err := Listen(endpoint{"tcp", "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer first[0].Close()
	taken := first[0].Addr().String()
	path := filepath.Join(shortDir(t), "s")
	if _, err := Listen(endpoint{"unix", path}, endpoint{"tcp", taken}); err == nil || !strings.Contains(err.Error(), "listen on "+taken) {
		t.Errorf("second listener on %s: got %v, want an error that names it", taken, err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the other endpoint's socket after a failure: got %v, want that it does not exist", err)
	}
}
