package main

import "strings"

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

// short returns a name as people say it.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
