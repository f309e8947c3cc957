package guest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The archive that a kernel unpacks into its first root (initramfs, in the
// kernel's words), in the format of cpio called newc.

type archive struct {
	bytes.Buffer
	files int
}

// The kinds of files, as in stat(2).
const (
	folderMode = 0o040755
	fileMode   = 0o100755
)

// add adds a file or a folder. Names are without the leading slash.
func (a *archive) add(name string, mode int, content []byte) {
	a.files++
	fmt.Fprintf(a, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.files, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	a.WriteString(name + "\x00")
	a.pad()
	a.Write(content)
	a.pad()
}

// pad fills up to a multiple of four bytes.
func (a *archive) pad() { a.Write(make([]byte, -a.Len()&3)) }

// initrd returns an archive with the first process, the modules that it loads
// and the folders that it needs.
func initrd(init string, modules []string) ([]byte, error) {
	a := &archive{}
	for _, folder := range []string{"dev", "proc", "sys", "modules", "root"} {
		a.add(folder, folderMode, nil)
	}
	program, err := os.ReadFile(init)
	if err != nil {
		return nil, err
	}
	a.add("init", fileMode, program)
	var order strings.Builder
	for _, file := range modules {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := "modules/" + filepath.Base(file)
		a.add(name, fileMode, content)
		fmt.Fprintln(&order, "/"+name)
	}
	a.add("modules/order", fileMode, []byte(order.String()))
	a.add("TRAILER!!!", 0, nil)
	return a.Bytes(), nil
}
