// Command protogen compiles .proto files with protoc's Go plugins, without
// protoc: it needs nothing but Go.
//
//	protogen ROOT PLUGIN_DIR OPENAPI FILE...
//
// FILEs are relative to ROOT; the generated code is written beside them, and
// one OpenAPI document for all of them to OPENAPI.json.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	_ "google.golang.org/genproto/googleapis/api/annotations" // for compiledIn
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("usage: protogen ROOT PLUGIN_DIR OPENAPI FILE...")
	}
	root, plugins, document, files := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	compiler := protocompile.Compiler{
		Resolver: protocompile.CompositeResolver{
			protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
			protocompile.ResolverFunc(compiledIn),
		},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	if err != nil {
		log.Fatal(err)
	}
	list := inOrder(compiled)
	for _, p := range []plugin{
		{"protoc-gen-go", "paths=source_relative", root},
		{"protoc-gen-go-grpc", "paths=source_relative", root},
		{"protoc-gen-grpc-gateway", "paths=source_relative,omit_package_doc=true", root},
		openAPI(root, document),
	} {
		request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: &p.parameter, ProtoFile: list}
		if err := p.generate(plugins, request); err != nil {
			log.Fatalf("%s: %v", p.name, err)
		}
	}
}

// plugin is one of protoc's plugins, and where its files belong.
type plugin struct{ name, parameter, folder string }

// compiledIn finds what others import of google/api in the Go code that was
// generated from it: so no copy of those files is needed.
func compiledIn(path string) (protocompile.SearchResult, error) {
	f, err := protoregistry.GlobalFiles.FindFileByPath(path)
	return protocompile.SearchResult{Desc: f}, err
}

// inOrder lists the files with what they import before them, as plugins want.
func inOrder(files linker.Files) (list []*descriptorpb.FileDescriptorProto) {
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i))
		}
		list = append(list, protodesc.ToFileDescriptorProto(f))
	}
	for _, f := range files {
		add(f)
	}
	return list
}

func (p plugin) generate(plugins string, request *pluginpb.CodeGeneratorRequest) error {
	in, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(plugins, p.name))
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out, response); err != nil {
		return err
	}
	if response.Error != nil {
		return fmt.Errorf("%s", response.GetError())
	}
	for _, f := range response.File {
		name, content := f.GetName(), []byte(f.GetContent())
		if short, ok := strings.CutSuffix(name, ".swagger.json"); ok {
			name = short + ".json"
			if content, err = finished(content); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(p.folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
