package inventory

import (
	"fmt"
	"strings"
)

// The collections of the resource names.
const (
	networks     = "networks"
	pools        = "pools"
	floatingIPs  = "floatingIps"
	computeNodes = "computeNodes"
	neighbors    = "neighbors"
	namespaces   = "namespaces"
	binding      = "poolBinding"
)

// The names of what there is one of.
const (
	GlobalName        = "global/bgp"
	GlobalBindingName = "global/poolBinding"
)

// Kind is a kind of resource.
type Kind uint8

// The kinds.
const (
	KindUnknown Kind = iota
	KindNetwork
	KindComputeNode
	KindNeighbor
	KindFloatingIP
	KindGlobal
	KindPool
	KindBinding
)

// KindOf tells the kind from a resource name.
func KindOf(name string) Kind {
	switch parts := strings.Split(name, "/"); {
	case name == GlobalName:
		return KindGlobal
	case parts[0] == computeNodes:
		return KindComputeNode
	case parts[0] == neighbors:
		return KindNeighbor
	case len(parts) == 4 && parts[2] == networks:
		return KindNetwork
	case len(parts) == 4 && parts[2] == floatingIPs:
		return KindFloatingIP
	case len(parts) == 6 && parts[4] == pools:
		return KindPool
	case name == GlobalBindingName, len(parts) == 3 && parts[0] == namespaces && parts[2] == binding:
		return KindBinding
	default:
		return KindUnknown
	}
}

// NetworkName returns projects/PROJECT/networks/ID.
func NetworkName(project, id string) string { return inProject(project, networks, id) }

// PoolName returns projects/PROJECT/networks/NETWORK/pools/ID.
func PoolName(network, id string) string { return network + "/" + pools + "/" + id }

// BindingName returns namespaces/NAMESPACE/poolBinding.
func BindingName(namespace string) string { return namespaces + "/" + namespace + "/" + binding }

// FloatingIPName returns projects/PROJECT/floatingIps/ID.
func FloatingIPName(project, id string) string { return inProject(project, floatingIPs, id) }

// ComputeNodeName returns computeNodes/ID.
func ComputeNodeName(id string) string { return computeNodes + "/" + id }

// NeighborName returns neighbors/ID.
func NeighborName(id string) string { return neighbors + "/" + id }

func inProject(project, collection, id string) string {
	return "projects/" + project + "/" + collection + "/" + id
}

// ProjectOf returns the project that a resource belongs to; it is empty for
// those that belong to none.
func ProjectOf(name string) string {
	rest, ok := strings.CutPrefix(name, "projects/")
	if !ok {
		return ""
	}
	project, _, _ := strings.Cut(rest, "/")
	return project
}

// networkOf returns the network that a pool belongs to.
func networkOf(pool string) string {
	// The last one: a project or a network may itself be called "pools".
	return pool[:max(strings.LastIndex(pool, "/"+pools+"/"), 0)]
}

// ShortName returns the last segment of a resource name.
func ShortName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// maxNameLength is that of a DNS label, so that a name fits wherever others
// put it.
const maxNameLength = 63

// CheckID checks a segment that a user chose: 1..63 lower-case letters, digits
// and '-', '_', '.', with a letter or digit at both ends.
func CheckID(id string) error {
	if id == "" {
		return fmt.Errorf("expected a name")
	}
	if len(id) > maxNameLength {
		return fmt.Errorf("expected at most %d characters, got %d", maxNameLength, len(id))
	}
	for i, c := range []byte(id) {
		edge := i == 0 || i == len(id)-1
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case !edge && (c == '-' || c == '_' || c == '.'):
		default:
			return fmt.Errorf("expected lower-case letters, digits and inside the name '-', '_', '.'; got %q", id)
		}
	}
	return nil
}

// checkName checks the name of a resource in a collection.
func checkName(field, name, collection string) *Error {
	var want string
	parts := strings.Split(name, "/")
	switch collection {
	case networks, floatingIPs:
		want = inProject("PROJECT", collection, "NAME")
		if len(parts) != 4 || parts[0] != "projects" || parts[2] != collection {
			return invalid(ReasonInvalid, field, "expected %s, got %q", want, name)
		}
		if err := CheckID(parts[1]); err != nil {
			return invalid(ReasonInvalid, field, "project: %v", err)
		}
	case pools:
		want = PoolName(inProject("PROJECT", networks, "NETWORK"), "NAME")
		if len(parts) != 6 || parts[4] != pools {
			return invalid(ReasonInvalid, field, "expected %s, got %q", want, name)
		}
		if err := checkName(field, networkOf(name), networks); err != nil {
			return err
		}
	case namespaces:
		want = BindingName("NAMESPACE")
		if name == GlobalBindingName {
			return nil
		}
		if len(parts) != 3 || parts[0] != namespaces || parts[2] != binding {
			return invalid(ReasonInvalid, field, "expected %s or %s, got %q", want, GlobalBindingName, name)
		}
		parts = parts[:2]
	default:
		want = collection + "/NAME"
		if len(parts) != 2 || parts[0] != collection {
			return invalid(ReasonInvalid, field, "expected %s, got %q", want, name)
		}
	}
	if err := CheckID(parts[len(parts)-1]); err != nil {
		return invalid(ReasonInvalid, field, "%v", err)
	}
	return nil
}

// maxInterfaceLength leaves room for the UUIDs that some orchestrators use.
const maxInterfaceLength = 64

// CheckInterface checks the name of a workload's interface, as associations have
// it. The error names the field.
func CheckInterface(field, name string) error {
	if err := checkInterface(field, name); err != nil {
		return err // not a nil *Error
	}
	return nil
}

// checkInterface checks the name of an interface on a compute node. It ends up
// in a key of the store, so a slash is refused.
func checkInterface(field, name string) *Error {
	if name == "" || len(name) > maxInterfaceLength {
		return invalid(ReasonInvalid, field, "expected the name of an interface, 1..%d characters, got %d", maxInterfaceLength, len(name))
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '/' {
			return invalid(ReasonInvalid, field, "expected printable characters without blanks and slashes, got %q", name)
		}
	}
	return nil
}
