package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type watchService struct {
	buoyv1.UnimplementedWatchesServer
	view
	observer *observer
	encoded  *encodings
}

func (s *watchService) Watch(req *buoyv1.WatchRequest, stream grpc.ServerStreamingServer[buoyv1.WatchResponse]) error {
	var f fields
	in := f.watched(req)
	in.viewer = viewerOf(stream.Context())
	w := &resourceWatcher{watchService: s, watched: in, stream: stream}
	resumed := req.GetResumeToken() != ""
	var from place
	if resumed {
		from = f.place("resume_token", req.GetResumeToken())
	}
	if f.err != nil {
		return f.err
	}
	defer s.observer.join(in.kinds[rank(inventory.KindFloatingIP)])()
	begin := w.everything
	if resumed {
		begin = func() error { return w.resume(from) }
	}
	if err := begin(); err != nil {
		return err
	}
	return w.follow(stream.Context())
}

// kindNames are the kinds of resources, as requests name them, such that each
// comes after those that it depends on.
var kindNames = []struct {
	kind inventory.Kind
	name string
	like proto.Message
}{
	{inventory.KindGlobal, "global", &buoyv1.Global{}},
	{inventory.KindNetwork, "network", &buoyv1.Network{}},
	{inventory.KindPool, "pool", &buoyv1.Pool{}},
	{inventory.KindBinding, "poolBinding", &buoyv1.PoolBinding{}},
	{inventory.KindComputeNode, "computeNode", &buoyv1.ComputeNode{}},
	{inventory.KindNeighbor, "neighbor", &buoyv1.Neighbor{}},
	{inventory.KindFloatingIP, "floatingIp", &buoyv1.FloatingIP{}},
}

// rank is the place of a kind among the others.
func rank(kind inventory.Kind) int {
	for i, k := range kindNames {
		if k.kind == kind {
			return i
		}
	}
	return -1
}

// watched is what a watch is about.
type watched struct {
	viewer viewer
	kinds  []bool // by rank
	parent string // empty: all
	name   string // empty: all
	filter filter // nil: all
}

func (f *fields) watched(req *buoyv1.WatchRequest) watched {
	w := watched{kinds: make([]bool, len(kindNames)), parent: f.parent("parent", req.GetParent()), name: req.GetName()}
	var known []string
	for i, k := range kindNames {
		w.kinds[i] = len(req.GetKinds()) == 0
		known = append(known, k.name)
	}
	for _, name := range req.GetKinds() {
		found := false
		for i, k := range kindNames {
			if k.name == name {
				w.kinds[i], found = true, true
			}
		}
		if !found {
			f.fail("kinds", fmt.Errorf("expected some of %s, got %q", strings.Join(known, ", "), name))
		}
	}
	w.filter = f.watchFilter(req.GetFilter(), w.kinds)
	if kind := inventory.KindOf(w.name); w.name != "" && kind == inventory.KindUnknown {
		f.fail("name", fmt.Errorf("expected the full name of a resource, like neighbors/NAME, got %q", w.name))
	} else if w.name != "" && !w.kinds[rank(kind)] {
		f.fail("name", errors.New("expected a resource of one of the kinds, got "+w.name))
	}
	return w
}

// watchFilter reads a filter over the one kind that is watched: others have other fields.
func (f *fields) watchFilter(text string, kinds []bool) filter {
	if text == "" {
		return nil
	}
	first := slices.Index(kinds, true)
	if first < 0 || slices.Contains(kinds[first+1:], true) {
		f.fail("filter", errors.New("expected one kind to go with it, whose fields it compares"))
		return nil
	}
	return f.filter(text, kindNames[first].like)
}

// takes reports whether a name is watched, if there is such a resource and it may
// be seen.
func (w *watched) takes(name string) bool {
	kind := inventory.KindOf(name)
	if kind == inventory.KindUnknown || !w.kinds[rank(kind)] || w.name != "" && w.name != name {
		return false
	}
	// To a project belong the pools that it may draw from, too.
	own := kind == inventory.KindPool && w.viewer != "" && w.parent == "projects/"+string(w.viewer)
	return own || inParent(name, w.parent)
}

// couldSee reports whether the viewer could see a resource before it changed.
func (w *watched) couldSee(s inventory.Shown) bool {
	owner := inventory.ProjectOf(s.Name)
	if w.viewer == "" || owner == "" || owner == string(w.viewer) {
		return true
	}
	for _, project := range s.Seers {
		if project == string(w.viewer) || project == inventory.AllProjects {
			return true
		}
	}
	return false
}
