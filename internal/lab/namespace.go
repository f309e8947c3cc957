package lab

// At returns the command run in a named network namespace (ip-netns(8)), where the name is
// not empty.
func (c Command) At(namespace string) Command {
	if namespace == "" {
		return c
	}
	c.Path, c.Args = "/usr/sbin/ip", append([]string{"netns", "exec", namespace, c.Path}, c.Args...)
	return c
}
