package guest

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestInitrd: the archive has each file, padded as newc wants it.
func TestInitrd(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"init": "program", "a.ko": "module"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := initrd(filepath.Join(dir, "init"), []string{filepath.Join(dir, "a.ko")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	number := func(header []byte, field int) int {
		n, err := strconv.ParseInt(string(header[6+8*field:14+8*field]), 16, 32)
		if err != nil {
			t.Fatalf("header %s: %v", hex.EncodeToString(header), err)
		}
		return int(n)
	}
	for at := 0; at < len(data); {
		header := data[at : at+110]
		if !bytes.HasPrefix(header, []byte("070701")) {
			t.Fatalf("at %d: got %q", at, header[:6])
		}
		size, length := number(header, 6), number(header, 11)
		name := string(data[at+110 : at+110+length-1])
		at = (at + 110 + length + 3) &^ 3
		got[name] = string(data[at : at+size])
		at = (at + size + 3) &^ 3
	}
	want := map[string]string{"init": "program", "modules/a.ko": "module", "modules/order": "/modules/a.ko\n", "TRAILER!!!": ""}
	for name, content := range want {
		if have, ok := got[name]; !ok || have != content {
			t.Errorf("%s: got %q %t, want %q", name, have, ok, content)
		}
	}
}
