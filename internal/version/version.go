// Package version says which version of Buoy a program is.
package version

import "runtime/debug"

// Text returns the version of the module, or the commit that was built.
func Text() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value
		}
	}
	return info.Main.Version
}
