package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// inProject returns the full name of a resource of a project.
func (a *app) inProject(collection, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return a.parent() + "/" + collection + "/" + name
}

// parent returns the name of the project.
func (a *app) parent() string { return "projects/" + a.project }

func (a *app) networkName(name string) string    { return a.inProject("networks", name) }
func (a *app) floatingIPName(name string) string { return a.inProject("floatingIps", name) }
func (a *app) computeNodeName(n string) string   { return inCluster("computeNodes", n) }
func (a *app) neighborName(name string) string   { return inCluster("neighbors", name) }

// inCluster returns the full name of a resource that belongs to no project.
func inCluster(collection, name string) string {
	if name == "" || strings.Contains(name, "/") {
		return name
	}
	return collection + "/" + name
}

// poolName returns the full name of a pool: NETWORK/POOL, or a short name that
// only one pool of the project has. The word is the argument or the flag that
// it comes from.
func (a *app) poolName(ctx context.Context, c *client, word, name string) (string, error) {
	if name == "" {
		return "", &usageError{word + ": expected a pool, got an empty name"}
	}
	switch network, id, _ := strings.Cut(name, "/"); strings.Count(name, "/") {
	case 0:
		return a.findPool(ctx, c, word, name)
	case 1:
		return poolOf(a.networkName(network), id), nil
	default:
		return name, nil
	}
}

func poolOf(network, id string) string { return network + "/pools/" + id }

// findPool finds the one pool of the project that has a short name.
func (a *app) findPool(ctx context.Context, c *client, word, id string) (string, error) {
	pools, err := listPools(ctx, c, a.parent())
	if err != nil {
		return "", err
	}
	var found, choices []string
	for _, p := range pools { // those that are shared with the project, too
		if short(p.Name) == id && projectOf(p.Name) == a.project {
			found, choices = append(found, p.Name), append(choices, short(networkOf(p))+"/"+id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", a.noSuchPool(ctx, c, id)
	}
	return "", &usageError{fmt.Sprintf("%s: project %s has several pools %s: name one of %s", word, a.project, id, strings.Join(choices, ", "))}
}

// noSuchPool says how pools of that name are called that are shared with the
// project.
func (a *app) noSuchPool(ctx context.Context, c *client, id string) error {
	all, err := listPools(ctx, c, "")
	if err != nil {
		return err
	}
	var shared []string
	for _, p := range all {
		if short(p.Name) == id && (slices.Contains(p.SharedWith, a.project) || slices.Contains(p.SharedWith, "*")) {
			shared = append(shared, p.Name)
		}
	}
	if len(shared) == 0 {
		return notFound("project %s has no pool %s", a.project, id)
	}
	return notFound("project %s has no pool %s of its own; give the full name of the one that is shared with it: %s", a.project, id, strings.Join(shared, ", "))
}

// networkOf returns the network that a pool belongs to.
func networkOf(p *buoyv1.Pool) string {
	// The last one: a project or a network may itself be called "pools".
	return p.Name[:max(strings.LastIndex(p.Name, "/pools/"), 0)]
}

// projectOf returns the project that a resource belongs to.
func projectOf(name string) string {
	rest, _ := strings.CutPrefix(name, "projects/")
	project, _, _ := strings.Cut(rest, "/")
	return project
}

// short returns a name as people say it.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// inWords returns the name that a command would take: short for what is in the
// project.
func (a *app) inWords(name string) string {
	if projectOf(name) == a.project {
		return short(name)
	}
	return name
}
