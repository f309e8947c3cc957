package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// completeNames puts full names in the place of short ones, as the arguments of
// commands may be short.
func (a *app) completeNames(ctx context.Context, c *client, list []*document) error {
	for _, d := range list {
		if err := a.completeOwn(d); err != nil {
			return err
		}
	}
	seen := map[string]*document{}
	for _, d := range list {
		if other, twice := seen[d.name()]; twice && d.name() != "" {
			return d.refuse(d.line("name"), "name", "%s is described twice, also in %s", d.name(), other.place(other.line("name")))
		}
		seen[d.name()] = d
	}
	pools := poolFinder{a: a, c: c, described: list}
	for _, d := range list {
		if err := a.completeOthers(ctx, d, &pools); err != nil {
			return err
		}
	}
	return nil
}

// completeOwn completes the name of what a document describes.
func (a *app) completeOwn(d *document) error {
	switch r := d.described.Described().(type) {
	case *buoyv1.Network:
		r.Name = orNone(r.Name, a.networkName)
	case *buoyv1.Pool:
		switch strings.Count(r.Name, "/") {
		case 0:
			return d.refuse(d.line("name"), "name", "expected NETWORK/POOL or a full name, got %q", clip(r.Name))
		case 1:
			r.Name = a.fullPool(r.Name)
		}
	case *buoyv1.PoolBinding:
		r.Name = orNone(r.Name, poolBindingName)
	case *buoyv1.ComputeNode:
		r.Name = a.computeNodeName(r.Name)
	case *buoyv1.Neighbor:
		r.Name = a.neighborName(r.Name)
	case *buoyv1.FloatingIP:
		r.Name = orNone(r.Name, a.floatingIPName)
	case *buoyv1.Global:
		r.Name = cmp.Or(r.Name, "global/bgp")
	}
	return nil
}

// orNone completes a name, unless there is none.
func orNone(name string, complete func(string) string) string {
	if name == "" {
		return ""
	}
	return complete(name)
}

// fullPool returns the full name of NETWORK/POOL.
func (a *app) fullPool(name string) string {
	network, id, _ := strings.Cut(name, "/")
	return poolOf(a.networkName(network), id)
}

// completeOthers completes the names of what a document needs.
func (a *app) completeOthers(ctx context.Context, d *document, pools *poolFinder) (err error) {
	switch r := d.described.Described().(type) {
	case *buoyv1.PoolBinding:
		r.Pool, err = pools.find(ctx, d, r.Pool)
	case *buoyv1.FloatingIP:
		r.Network = orNone(r.Network, a.networkName)
		for _, as := range r.Associations {
			as.ComputeNode = a.computeNodeName(as.ComputeNode)
		}
		r.Pool, err = pools.find(ctx, d, r.Pool)
	}
	return err
}

// poolFinder finds pools by their short names: of the documents, or else of the
// server.
type poolFinder struct {
	a         *app
	c         *client
	described []*document
	there     []*buoyv1.Pool // nil: not asked for yet
}

func (f *poolFinder) find(ctx context.Context, d *document, name string) (string, error) {
	switch strings.Count(name, "/") {
	case 0:
	case 1:
		return f.a.fullPool(name), nil
	default:
		return name, nil
	}
	if name == "" {
		return "", nil
	}
	var names []string
	for _, other := range f.described {
		if p := other.described.GetPool(); p != nil && short(p.Name) == name && projectOf(p.Name) == f.a.project {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		var err error
		if names, err = f.onServer(ctx, name); err != nil {
			return "", err
		}
	}
	switch len(names) {
	case 0:
		return "", d.refuseAs(codes.NotFound, d.line("pool"), "pool", fmt.Sprintf("project %s has no pool %s", f.a.project, clip(name)))
	case 1:
		return names[0], nil
	default:
		return "", d.refuse(d.line("pool"), "pool", "project %s has several pools %s; expected NETWORK/POOL", f.a.project, clip(name))
	}
}

func (f *poolFinder) onServer(ctx context.Context, name string) (names []string, err error) {
	if f.there == nil {
		if f.there, err = listPools(ctx, f.c, f.a.parent()); err != nil {
			return nil, err
		}
		f.there = append(f.there, nil) // asked for, even if there are none
	}
	for _, p := range f.there {
		if p != nil && short(p.Name) == name && projectOf(p.Name) == f.a.project {
			names = append(names, p.Name)
		}
	}
	return names, nil
}
