package inventory

// Visible reports whether a project may see a resource. A resource that
// belongs to no project is seen by all. The empty project is the operator, who
// sees everything.
func (s *State) Visible(project, name string) bool {
	owner := ProjectOf(name)
	if project == "" || owner == "" || owner == project {
		return true
	}
	switch KindOf(name) {
	case KindPool:
		p, ok := s.Pool(name)
		return ok && p.UsableBy(project)
	case KindFloatingIP: // who owns the network may see who has its addresses
		f, ok := s.FloatingIP(name)
		return ok && ProjectOf(f.Network) == project
	default:
		return false
	}
}
