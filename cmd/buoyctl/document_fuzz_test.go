package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Whatever a file holds, it is read or refused with the file's name and a line;
// what was read is written and read the same again.
func FuzzDocuments(f *testing.F) {
	files, err := filepath.Glob("testdata/documents/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("documents: got %v, %v, want some", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{
		"", "---\n---\n", "kind: Network\nname: &a x\nsubnets: [*a]\n", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
		"!!map {kind: Pool}", "kind: Global\nas: 0x10\n", "kind: Global\nas: 64512\netag: [1, 2, {}]\n", "<<: {kind: Pool}\n",
		"kind: FloatingIP\nassociations:\n- \n", "kind: Neighbor\npassive: yes\nas: 1e3\n", "? [a]\n: b\n", "kind: [Network]\n", "\xff",
		"kind: ComputeNode\nlabel_range: 500\n", "kind: ComputeNode\nlabel_range: '500'\nname: |\n  a\n  b\n", "kind: Network\r\nname: x\r\n",
		strings.Repeat("[", 300), strings.Repeat("{a: ", 300), "%YAML 1.2\n---\nkind: Pool\n...\n", "kind: Network\nkind: Pool\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := readDocuments("f.yaml", []byte(text))
		if err != nil {
			if s := err.Error(); !strings.Contains(s, "f.yaml: ") || len(s) > 2000 {
				t.Errorf("got %q, want it to name the file", s)
			}
			return
		}
		for _, d := range list {
			for _, path := range []string{"", "name", "subnets[0]", "associations[1].label", "associations[x", "[", "a.b[99999999999999999999]"} {
				if line := d.line(path); line < 1 || line > strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+strings.Count(text, "\u0085")+1 {
					t.Errorf("%s is in line %d", path, line)
				}
			}
			var b bytes.Buffer
			if err := printYAML(&b, d.described.Described(), protojson.MarshalOptions{UseProtoNames: true}); err != nil {
				t.Fatal(err)
			}
			again, err := readDocuments("again", b.Bytes())
			if err != nil || len(again) != 1 || !proto.Equal(again[0].described, d.described) {
				t.Errorf("%v is written as\n%s\nand read as %v, %v", d.described, b.Bytes(), again, err)
			}
		}
	})
}
