package api

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// httpRule is how a method is called over HTTP.
type httpRule struct {
	method protoreflect.MethodDescriptor
	verb   string // GET, POST, …
	path   string // as in the .proto file
	body   string // the field that the body is; * for all that the path has not; empty for none
}

// httpRules returns the rules of all methods, the additional ones too.
func httpRules() (rules []httpRule) {
	add := func(m protoreflect.MethodDescriptor, r *annotations.HttpRule) {
		rule := httpRule{method: m, body: r.GetBody()}
		switch pattern := r.GetPattern().(type) {
		case *annotations.HttpRule_Get:
			rule.verb, rule.path = http.MethodGet, pattern.Get
		case *annotations.HttpRule_Post:
			rule.verb, rule.path = http.MethodPost, pattern.Post
		case *annotations.HttpRule_Put:
			rule.verb, rule.path = http.MethodPut, pattern.Put
		case *annotations.HttpRule_Patch:
			rule.verb, rule.path = http.MethodPatch, pattern.Patch
		case *annotations.HttpRule_Delete:
			rule.verb, rule.path = http.MethodDelete, pattern.Delete
		}
		rules = append(rules, rule)
	}
	for m := range apiMethods {
		if r, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule); r != nil {
			add(m, r)
			for _, more := range r.GetAdditionalBindings() {
				add(m, more)
			}
		}
	}
	return rules
}

// apiMethods yields the methods of buoy.v1.
func apiMethods(yield func(protoreflect.MethodDescriptor) bool) {
	protoregistry.GlobalFiles.RangeFilesByPackage(buoyv1.File_buoy_v1_network_proto.Package(), func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			list := f.Services().Get(i).Methods()
			for j := range list.Len() {
				if !yield(list.Get(j)) {
					return false
				}
			}
		}
		return true
	})
}

// strictly refuses what a rule has no place for. The gateway would ignore it,
// and ?validate_onyl=true would change something.
func strictly(rules []httpRule) runtime.Middleware {
	byPath := map[string]httpRule{}
	for _, r := range rules {
		byPath[r.verb+" "+r.path] = r
	}
	return func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
			pattern, _ := runtime.HTTPPattern(r.Context())
			if err := byPath[r.Method+" "+pattern.String()].check(r); err != nil {
				refuse(w, err)
				return
			}
			next(w, r, params)
		}
	}
}

func (rule httpRule) check(r *http.Request) error {
	if rule.method == nil {
		return errors.New("no rule for the path") // a test would have found it
	}
	if rule.body == "" {
		if n, _ := io.Copy(io.Discard, r.Body); n > 0 {
			return invalid("body", errors.New(strings.TrimSuffix("expected none; the query may have "+strings.Join(rule.query(), ", "), "; the query may have ")))
		}
	}
	expected := rule.query()
	for key := range r.URL.Query() {
		if !slices.Contains(expected, key) {
			where := "expected no query"
			switch {
			case len(expected) > 0:
				where = "expected some of " + strings.Join(expected, ", ")
			case rule.body == "*":
				where = "expected it in the body"
			}
			return invalid(key, errors.New(where))
		}
	}
	return nil
}

// query returns the fields that a request may have in its query.
func (rule httpRule) query() (names []string) {
	if rule.body == "*" {
		return nil
	}
	fields := rule.method.Input().Fields()
	for i := range fields.Len() {
		name := string(fields.Get(i).Name())
		if name != rule.body && !strings.Contains(rule.path, "{"+name+"=") {
			names = append(names, name)
		}
	}
	return names
}
