// Package config turns the file, the environment and the flags of buoyd into a
// validated Config. Reading the file is its only I/O; it prints nothing.
//
// # Basics
//
// A key has one name in three spellings: bgp.router_id in the file,
// BUOYD_BGP_ROUTER_ID in the environment, --bgp-router-id as a flag. A flag
// wins over the environment, the environment over the file, the file over the
// default. Lists are separated by commas outside the file. The neighbors are
// in the file only.
//
// The key pools.global has one more source, KUBERNETES_PUBLIC_FIP_POOL. That is
// the reference system's own variable, and counts when no other source has the
// key. In every source the pool may be written as that system does: as a fully
// qualified name or as a mapping.
//
// Flags registers the flags and Load reads everything. What Load returns is
// complete and valid; otherwise its error has one line for each problem, in
// the order of the file, then of the environment and the flags:
//
//	buoyd.yaml:3: unknown key bgp.rooter_id, did you mean bgp.router_id?
//	buoyd.yaml:9: neighbors[1].address (mx2): 10.0.0.1 is already the address of neighbors[0] (mx1)
//	environment BUOYD_BGP_AS: bgp.as: expected an AS 1..4294967295, got "abc"
//
// On the way the file becomes a document: a walk of its YAML nodes along the
// fields of the struct file refuses what is unknown, double or of the wrong
// kind, and remembers where everything stands. Viper then merges it with the
// environment and the flags into a file, which is still text; validation
// turns that into a Config. Config.YAML is the way back.
//
// # Caveats
//
// An empty environment variable is set: it does not mean the default. Every
// variable that begins with BUOYD_ must be a key. Kubernetes adds such
// variables to a pod when a service of the namespace is called "buoyd"; set
// enableServiceLinks: false there.
//
// A value that a later source overrides must still be of the right kind
// (a list, a single value), but what it says is not looked at. For a mapping in
// the file this means its keys, too: an unknown or double one is refused.
//
// An empty KUBERNETES_PUBLIC_FIP_POOL, or {}, is not set: that is how the
// reference system names no pool. There is no way to unset it from a source of
// higher rank.
//
// What the YAML library cannot parse is reported alone, and its line may be one
// too low. YAML aliases, merge keys and tags of one's own are refused. Numbers are
// decimal: 0x10, 010 and 1_000 are errors, not numbers. Relative paths are
// relative to the working directory of the daemon, not to the file.
package config
