package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Load reads the file that --config names, if any, and merges it with the
// environment (as os.Environ returns it) and the parsed flags. The flag set
// must have been given to Flags.
func Load(fs *pflag.FlagSet, environ []string) (Config, error) {
	name, err := fs.GetString("config")
	if err != nil {
		return Config{}, err
	}
	var data []byte
	if fs.Changed("config") {
		if name == "" {
			return Config{}, fmt.Errorf("flag --config: %w", expected("a file", name))
		}
		if data, err = os.ReadFile(name); err != nil {
			return Config{}, fmt.Errorf("flag --config: %w", err)
		}
	}
	return load(name, data, fs, environ)
}

func load(name string, data []byte, fs *pflag.FlagSet, environ []string) (Config, error) {
	d, err := parseDocument(name, data, reflect.TypeFor[file](), "")
	if err != nil {
		return Config{}, err
	}
	env, problems := environment(environ)
	inherited := inherit(environ)
	merged, err := merge(d, inherited, env, fs)
	if err != nil {
		return Config{}, err
	}
	v := validation{document: d, inherited: inherited, env: env, flags: fs, file: merged, problems: append(problems, d.problems...)}
	c := v.config()
	if err := join(v.problems); err != nil {
		return Config{}, err
	}
	return c, nil
}

// merge lets viper decide which source wins. The result is text.
func merge(d *document, inherited, env map[string]string, fs *pflag.FlagSet) (f file, err error) {
	v := viper.New()
	if err := v.MergeConfigMap(treeOf(inherited)); err != nil {
		return file{}, err
	}
	if err := v.MergeConfigMap(d.tree); err != nil {
		return file{}, err
	}
	// Viper would read the process's environment by itself. Merged over the
	// file, the given one has the same rank.
	if err := v.MergeConfigMap(treeOf(env)); err != nil {
		return file{}, err
	}
	for _, k := range keys {
		// A flag that was not given is viper's default.
		if err := v.BindPFlag(k.path, fs.Lookup(k.flag())); err != nil {
			return file{}, err
		}
	}
	err = v.Unmarshal(&f, func(dc *mapstructure.DecoderConfig) { dc.TagName = "yaml" })
	return f, err
}

// treeOf returns the values as the file would have them.
func treeOf(env map[string]string) map[string]any {
	tree := map[string]any{}
	for _, k := range keys {
		text, ok := env[k.path]
		if !ok {
			continue
		}
		section, name, _ := strings.Cut(k.path, ".")
		if tree[section] == nil {
			tree[section] = map[string]any{}
		}
		var value any = text
		if k.list {
			value = split(text)
		}
		tree[section].(map[string]any)[name] = value
	}
	return tree
}

// place returns where the value at path comes from: for a list or a pool, the
// source as a whole wins, never single items or parts.
func (v *validation) place(path string) place {
	if i := slices.IndexFunc(keys, func(k key) bool { return k.holds(path) }); i >= 0 {
		k := keys[i]
		if v.flags.Changed(k.flag()) {
			return place{fromFlag, i, 0, "flag --" + k.flag()}
		}
		if _, ok := v.env[k.path]; ok {
			return place{fromEnv, i, 0, "environment " + k.env()}
		}
		if v.document.nodes[k.path] == nil {
			if _, ok := v.inherited[k.path]; ok {
				return place{fromEnv, i, 0, "environment " + inheritedEnv}
			}
			return place{fromNowhere, i, 0, v.document.name}
		}
	}
	// A key that a list item or a pool lacks is at the item or the pool.
	for v.document.nodes[path] == nil {
		path = path[:strings.LastIndexAny(path, ".[")]
	}
	n := v.document.nodes[path]
	return v.document.place(n.Line, n.Column)
}
