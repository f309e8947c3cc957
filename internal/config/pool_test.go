package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"go.yaml.in/yaml/v3"
)

const (
	publicPool  = "projects/default/networks/vn-public/pools/public"
	asPython    = "{'domain': 'default-domain', 'project': 'default', 'network': 'vn-public', 'name': 'public'}"
	nameWanted  = "expected a name of at most 63 lower-case letters, digits, '-', '_' and '.' that starts and ends with a letter or digit, got "
	poolWanted  = "expected projects/PROJECT/networks/NETWORK/pools/NAME, DOMAIN:PROJECT:NETWORK:NAME or a mapping with domain, project, network, name, got "
	partsWanted = "expected a mapping with domain, project, network, name, got "
)

// poolSource is a source of pools.global.
type poolSource struct {
	where string // how its errors begin
	give  func(text string) (file string, environ, args []string)
}

// poolSources are those that give the pool as text, the highest first.
var poolSources = []poolSource{
	{"flag --pools-global: ", func(s string) (string, []string, []string) { return good, nil, []string{"--pools-global=" + s} }},
	{"environment BUOYD_POOLS_GLOBAL: ", func(s string) (string, []string, []string) { return good, []string{"BUOYD_POOLS_GLOBAL=" + s}, nil }},
	{"f.yaml:3: ", func(s string) (string, []string, []string) {
		return good + fmt.Sprintf("pools:\n  global: %q\n", s), nil, nil
	}},
	{"environment KUBERNETES_PUBLIC_FIP_POOL: ", func(s string) (string, []string, []string) {
		return good, []string{"KUBERNETES_PUBLIC_FIP_POOL=" + s}, nil
	}},
}

// hasPool loads and compares the global pool.
func hasPool(t *testing.T, file string, environ, args []string, want string) {
	t.Helper()
	c, err := load("f.yaml", []byte(file), flags(t, args...), environ)
	if err != nil {
		t.Fatalf("%s%q %q\n got %v\nwant %s", file, environ, args, err, want)
	}
	if wanted := (Pools{Global: want, ExternalName: "public"}); c.Pools != wanted {
		t.Errorf("%s%q %q\n got %+v\nwant %+v", file, environ, args, c.Pools, wanted)
	}
	roundTrip(t, c)
}

func TestPoolText(t *testing.T) {
	for text, want := range map[string]string{
		publicPool: publicPool,
		"default-domain:default:vn-public:public": publicPool,
		"__any__:default:vn-public:public":        publicPool,
		":default:vn-public:public":               publicPool,
		asPython:                                  publicPool,
		`{"domain": "default-domain", "project": "default", "network": "vn-public", "name": "public"}`:  publicPool,
		`{"domain":"default-domain","project":"default","network":"vn-public","name":"public"}`:         publicPool,
		"{'name':'public','network':'vn-public','project':'default','domain':'default-domain'}":         publicPool,
		"{'project' : 'default', 'domain': 'd', 'name': 'public' , 'network' : 'vn-public'}":            publicPool,
		"{'domain': 'default-domain', 'project': 'default', 'network': 'vn-public', 'name': 'public' }": publicPool,
		"{'project': 'default', 'network': 'vn-public', 'name': 'public',}":                             publicPool,
		"{domain: D O M, project: default, network: vn-public, name: public}":                           publicPool,
		" {project: default, network: vn-public, name: public}\n":                                       publicPool,
		"{project: 1, network: 2.0, name: true}":                                                        "projects/1/networks/2.0/pools/true",
		"projects/projects/networks/networks/pools/pools":                                               "projects/projects/networks/networks/pools/pools",
		"d:a.b:c-d:e_f": "projects/a.b/networks/c-d/pools/e_f",
	} {
		for _, source := range poolSources {
			t.Run(source.where+text, func(t *testing.T) {
				file, environ, args := source.give(text)
				hasPool(t, file, environ, args, want)
			})
		}
	}
}

func TestPoolMapping(t *testing.T) {
	for name, pools := range map[string]string{
		"flow":           "pools: {global: {domain: default-domain, project: default, network: vn-public, name: public}}",
		"block":          "pools:\n  global:\n    domain: default-domain\n    project: default\n    network: vn-public\n    name: public",
		"Python":         "pools:\n  global: " + asPython,
		"no domain":      "pools: {global: {project: default, network: vn-public, name: public}}",
		"another order":  "pools: {global: {name: public, network: vn-public, project: default}}",
		"strange domain": "pools: {global: {domain: \"a\\x7f\\0\\u2028\\U0001F600:'\\\"\", project: default, network: vn-public, name: public}}",
		"next line":      "pools:\n  external_name: public\n  global:\n    {project: default,\n     network: vn-public, name: public}",
	} {
		t.Run(name, func(t *testing.T) { hasPool(t, good+pools, nil, nil, publicPool) })
	}
}

// Every set of sources: the highest one wins, whatever the others say.
func TestPoolSources(t *testing.T) {
	for set := range 1 << 5 {
		var environ, args []string
		file, want := good, ""
		for i, source := range []struct{ text, means string }{
			{"d:p:n:inherited", "inherited"},
			{"{project: p, network: n, name: mapping}", "mapping"},
			{"projects/p/networks/n/pools/text", "text"},
			{"{'project': 'p', 'network': 'n', 'name': 'variable'}", "variable"},
			{"d:p:n:flag", "flag"},
		} {
			if set&(1<<i) == 0 {
				continue
			}
			want = "projects/p/networks/n/pools/" + source.means
			switch source.means {
			case "inherited":
				environ = append(environ, "KUBERNETES_PUBLIC_FIP_POOL="+source.text)
			case "mapping", "text":
				file = good + "pools:\n  global: " + source.text + "\n"
			case "variable":
				environ = append(environ, "BUOYD_POOLS_GLOBAL="+source.text)
			case "flag":
				args = append(args, "--pools-global="+source.text)
			}
		}
		hasPool(t, file, environ, args, want)
	}
}

// What is overridden is not looked at, and only what counts is reported.
func TestPoolSourcesOverridden(t *testing.T) {
	file, inherited, env, flag := good+"pools: {global: {project: __public__}}", "KUBERNETES_PUBLIC_FIP_POOL={", "BUOYD_POOLS_GLOBAL=x", "--pools-global=d:p:n:x"
	hasPool(t, file, []string{inherited, env}, []string{flag}, "projects/p/networks/n/pools/x")
	hasPool(t, file, []string{inherited, "BUOYD_POOLS_GLOBAL=d:p:n:y"}, nil, "projects/p/networks/n/pools/y")
	hasPool(t, good+"pools: {global: 'd:p:n:z'}", []string{inherited}, nil, "projects/p/networks/n/pools/z")

	refused(t, file, []string{inherited, env}, []string{"--pools-global="}, `flag --pools-global: pools.global: `+poolWanted+`""`)
	refused(t, file, []string{inherited, env}, nil, `environment BUOYD_POOLS_GLOBAL: pools.global: `+poolWanted+`"x"`)
	refused(t, file, []string{inherited}, nil, "f.yaml:2: pools.global.network: "+nameWanted+"nothing\n"+
		"f.yaml:2: pools.global.name: "+nameWanted+"nothing\n"+`f.yaml:2: pools.global.project: `+nameWanted+`"__public__"`)
	refused(t, good, []string{inherited}, nil, `environment KUBERNETES_PUBLIC_FIP_POOL: pools.global: `+partsWanted+`"{"`)

	// The kind of an overridden value must be right nevertheless.
	refused(t, good+"pools: {global: []}", []string{inherited}, []string{flag}, "f.yaml:2: pools.global: expected a single value or a mapping with domain, project, network, name, got a list")
	refused(t, good+"pools: {global: {nam: x}}", nil, []string{flag}, "f.yaml:2: unknown key pools.global.nam, did you mean pools.global.name?")
}

// The other key of the section, and sections that say nothing, leave the
// reference system's variable alone; that it is there makes no pool.
func TestPoolInherited(t *testing.T) {
	inherited := []string{"KUBERNETES_PUBLIC_FIP_POOL=" + asPython}
	for _, pools := range []string{"", "pools:", "pools: {}", "pools: {external_name: public}", "pools:\n  # global: x\n"} {
		hasPool(t, good+pools, inherited, nil, publicPool)
		hasPool(t, good+pools, nil, nil, "")
	}
	hasPool(t, good, append(inherited, "BUOYD_POOLS_EXTERNAL_NAME=public"), nil, publicPool)
	for _, variable := range []string{"KUBERNETES_PUBLIC_FIP_POOL=", "KUBERNETES_PUBLIC_FIP_POOL={}", "KUBERNETES_PUBLIC_FIP_POOL", "KUBERNETES_PUBLIC_FIP_POOLS=x", "PUBLIC_FIP_POOL=x"} {
		hasPool(t, good, []string{variable}, nil, "")
	}
	hasPool(t, good, []string{"KUBERNETES_PUBLIC_FIP_POOL=x", "KUBERNETES_PUBLIC_FIP_POOL=" + publicPool}, nil, publicPool)
	hasPool(t, good, []string{"KUBERNETES_PUBLIC_FIP_POOL=x", "KUBERNETES_PUBLIC_FIP_POOL="}, nil, "")
	refused(t, good, []string{"BUOYD_PUBLIC_FIP_POOL=x"}, nil, "environment: unknown variable BUOYD_PUBLIC_FIP_POOL")

	// The file has a pool, even if it is a wrong one.
	refused(t, good+"pools: {global: }", inherited, nil, "f.yaml:2: pools.global: expected a single value or a mapping with domain, project, network, name, got nothing")
}

func TestRefusedPoolText(t *testing.T) {
	long := strings.Repeat("x", 64)
	for text, want := range map[string]string{
		"":                              "pools.global: " + poolWanted + `""`,
		"public":                        "pools.global: " + poolWanted + `"public"`,
		"vn-public:public":              "pools.global: " + poolWanted + `"vn-public:public"`,
		"default:vn:public":             "pools.global: " + poolWanted + `"default:vn:public"`,
		"a:d:default:vn:x":              "pools.global: " + poolWanted + `"a:d:default:vn:x"`,
		"projects/p/pools/x":            "pools.global: " + poolWanted + `"projects/p/pools/x"`,
		"projects/p/networks":           "pools.global: " + poolWanted + `"projects/p/networks"`,
		"/" + publicPool:                "pools.global: " + poolWanted + `"/` + publicPool + `"`,
		publicPool + "/":                "pools.global: " + poolWanted + `"` + publicPool + `/"`,
		"project/p/networks/n/pools/x":  "pools.global: " + poolWanted + `"project/p/networks/n/pools/x"`,
		"projects/p/network/n/pools/x":  "pools.global: " + poolWanted + `"projects/p/network/n/pools/x"`,
		"projects/p/networks/n/pool/x":  "pools.global: " + poolWanted + `"projects/p/networks/n/pool/x"`,
		"['d', 'p', 'n', 'x']":          "pools.global: " + poolWanted + `"['d', 'p', 'n', 'x']"`,
		"projects/p/networks/n/pools/":  "pools.global.name: " + nameWanted + `""`,
		"projects/p/networks/n/pools/X": "pools.global.name: " + nameWanted + `"X"`,
		"projects//networks/-/pools/x:": "pools.global.project: " + nameWanted + `""` + "\n" +
			"pools.global.network: " + nameWanted + `"-"` + "\n" +
			"pools.global.name: " + nameWanted + `"x:"`,
		"projects/" + long + "/networks/n/pools/x": "pools.global.project: " + nameWanted + `"` + long + `"`,
		" d:p:n:x ":                       "pools.global.name: " + nameWanted + `"x "`,
		"d:p/q:n:x":                       "pools.global.project: " + nameWanted + `"p/q"`,
		"default-domain:default:public:ü": "pools.global.name: " + nameWanted + `"ü"`,
		"default-domain:default:__public__:__fip_pool_public__": "pools.global.network: " + nameWanted + `"__public__"` + "\n" +
			"pools.global.name: " + nameWanted + `"__fip_pool_public__"`,

		"{'project' : 'k8s-default', 'domain': 'default-domain', 'name': '__fip_pool_public__' , 'network' : '__public__'}": "pools.global.network: " + nameWanted + `"__public__"` + "\n" +
			"pools.global.name: " + nameWanted + `"__fip_pool_public__"`,
		"{'project': 'p', 'network': 'n'}":                         "pools.global.name: " + nameWanted + "nothing",
		"{'project': 'p', 'name': 'x'}":                            "pools.global.network: " + nameWanted + "nothing",
		"{'domain': 'd', 'network': 'n', 'name': 'x'}":             "pools.global.project: " + nameWanted + "nothing",
		"{'project': '', 'network': 'n', 'name': 'x'}":             "pools.global.project: " + nameWanted + `""`,
		"{'project': 'a:b', 'network': 'c/d', 'name': \"e\\0\"}":   "pools.global.project: " + nameWanted + `"a:b"` + "\npools.global.network: " + nameWanted + `"c/d"` + "\npools.global.name: " + nameWanted + `"e\x00"`,
		"{'project': 'p', 'network': 'n', 'name': 'x', 'id': '1'}": "unknown key pools.global.id",
		"{'project': 'p', 'network': 'n', 'nam': 'x'}":             "unknown key pools.global.nam, did you mean pools.global.name?\npools.global.name: " + nameWanted + "nothing",
		"{'Project': 'p', 'network': 'n', 'name': 'x'}":            "unknown key pools.global.Project, did you mean pools.global.project?\npools.global.project: " + nameWanted + "nothing",
		"{u'domain': 'd', project: p, network: n, name: x}":        "unknown key pools.global.u'domain'",
		"{project: p, network: n, name: x, name: y, name: z}":      "duplicate key pools.global.name\nduplicate key pools.global.name",
		"{domain: d, domain: d, project: p, network: n, name: x}":  "duplicate key pools.global.domain",
		"{project: p,\n network: n, name: x,\n network: n}":        "duplicate key pools.global.network",
		"{'project': ['p'], 'network': {}, 'name': }":              "pools.global.project: expected a single value, got a list\npools.global.network: expected a single value, got a mapping\npools.global.name: expected a single value, got nothing",
		"{'domain': [], 'project': P, 'network': n, 'name': x}":    "pools.global.domain: expected a single value, got a list\npools.global.project: " + nameWanted + `"P"`,
		"{project: &p p, network: *p, name: x}":                    "pools.global.network: expected a single value, got an alias",
		"{<<: {project: p}, network: n, name: x}":                  "unknown key pools.global.<<\npools.global.project: " + nameWanted + "nothing",
		"{project: p, network: n, name: x":                         "pools.global: " + partsWanted + `"{project: p, network: n, name: x"`,
		"{{}}":                                                     "unknown key pools.global.\"\"\npools.global.project: " + nameWanted + "nothing\npools.global.network: " + nameWanted + "nothing\npools.global.name: " + nameWanted + "nothing",
		"{} {}":                                                    "pools.global: " + partsWanted + `"{} {}"`,
		"{project: p, network: n, name: x}\n---\n":                 "pools.global: expected one YAML document, got another one",
		"{project: p, network: n, name: x}\n---\n{":                "pools.global: " + partsWanted + `"{project: p, network: n, name: x}\n---\n{"`,
	} {
		for _, source := range poolSources {
			file, environ, args := source.give(text)
			if text == "" && environ != nil && strings.Contains(source.where, inheritedEnv) {
				continue // there, nothing is the same as not given
			}
			t.Run(source.where+text, func(t *testing.T) {
				refused(t, file, environ, args, source.where+strings.ReplaceAll(want, "\n", "\n"+source.where))
			})
		}
	}
}

func TestRefusedPoolMapping(t *testing.T) {
	for _, tt := range []struct{ name, pools, want string }{
		{"missing", "global: {domain: d, network: n, name: x}", "f.yaml:3: pools.global.project: " + nameWanted + "nothing"},
		{"empty", "global: {}", "f.yaml:3: pools.global.project: " + nameWanted + "nothing\n" +
			"f.yaml:3: pools.global.network: " + nameWanted + "nothing\n" +
			"f.yaml:3: pools.global.name: " + nameWanted + "nothing"},
		{"each in its line", "global:\n    domain: d\n    project: __public__\n    network: VN\n    name: ''",
			"f.yaml:5: pools.global.project: " + nameWanted + "\"__public__\"\n" +
				"f.yaml:6: pools.global.network: " + nameWanted + "\"VN\"\n" +
				"f.yaml:7: pools.global.name: " + nameWanted + `""`},
		{"unknown", "global:\n    project: p\n    network: n\n    nam: x", "f.yaml:4: pools.global.name: " + nameWanted + "nothing\n" +
			"f.yaml:6: unknown key pools.global.nam, did you mean pools.global.name?"},
		{"only unknown", "global: {project: p, network: n, name: x, uuid: y}", "f.yaml:3: unknown key pools.global.uuid"},
		{"double", "global:\n    project: p\n    network: n\n    name: x\n    project: p", "f.yaml:7: duplicate key pools.global.project, the first is in line 4"},
		{"double domain", "global: {domain: d, project: p, network: n, name: x, domain: d}", "f.yaml:3: duplicate key pools.global.domain, the first is in line 3"},
		{"double pool", "global: 'd:p:n:x'\n  global: {project: p, network: n, name: x}", "f.yaml:4: duplicate key pools.global, the first is in line 3"},
		{"kinds", "global:\n    domain: {}\n    project: [p]\n    network: {n: 1}\n    name:", "f.yaml:4: pools.global.domain: expected a single value, got a mapping\n" +
			"f.yaml:5: pools.global.project: expected a single value, got a list\n" +
			"f.yaml:6: pools.global.network: expected a single value, got a mapping\n" +
			"f.yaml:7: pools.global.name: expected a single value, got nothing"},
		{"control characters", `global: {project: "\x7f", network: "\u2028", name: "\U0001F600\xff"}`, `f.yaml:3: pools.global.project: ` + nameWanted + `"\x7f"` + "\n" +
			`f.yaml:3: pools.global.network: ` + nameWanted + `"\u2028"` + "\n" +
			`f.yaml:3: pools.global.name: ` + nameWanted + `"😀ÿ"`},
		{"list", "global: [d, p, n, x]", "f.yaml:3: pools.global: expected a single value or a mapping with domain, project, network, name, got a list"},
		{"set", "global: !!set {project, network, name}", "f.yaml:3: pools.global: expected a single value or a mapping with domain, project, network, name, got a value of type !!set"},
		{"alias", "external_name: &p x\n  global: *p", "f.yaml:4: pools.global: expected a single value or a mapping with domain, project, network, name, got an alias"},
		{"nothing", "global:", "f.yaml:3: pools.global: expected a single value or a mapping with domain, project, network, name, got nothing"},
		{"number", "global: 7", "f.yaml:3: pools.global: " + poolWanted + `"7"`},
		{"unquoted", "global: d:p:__public__:x", "f.yaml:3: pools.global.network: " + nameWanted + `"__public__"`},
		{"misspelled", "globl: x\n  extern_name: y", "f.yaml:3: unknown key pools.globl, did you mean pools.global?\nf.yaml:4: unknown key pools.extern_name, did you mean pools.external_name?"},
		{"in the section", "project: p\n  name: x", "f.yaml:3: unknown key pools.project\nf.yaml:4: unknown key pools.name"},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, good+"pools:\n  "+tt.pools+"\n", nil, nil, tt.want) })
	}
	refused(t, good+"pools: "+publicPool, nil, nil, `f.yaml:2: pools: expected a mapping with global, external_name, got "`+publicPool+`"`)
	refused(t, good+"pools: []", nil, nil, "f.yaml:2: pools: expected a mapping with global, external_name, got a list")
}

func TestExternalName(t *testing.T) {
	file := good + "pools: {external_name: from.file}"
	for _, tt := range []struct {
		file          string
		environ, args []string
		want          string
	}{
		{good, nil, nil, "public"},
		{good, []string{"KUBERNETES_PUBLIC_FIP_POOL=d:p:n:x"}, nil, "public"},
		{file, nil, nil, "from.file"},
		{file, []string{"BUOYD_POOLS_EXTERNAL_NAME=from_environment"}, nil, "from_environment"},
		{file, []string{"BUOYD_POOLS_EXTERNAL_NAME=from_environment"}, []string{"--pools-external-name=from-flag"}, "from-flag"},
		{file, []string{"BUOYD_POOLS_EXTERNAL_NAME=X"}, []string{"--pools-external-name=public"}, "public"},
	} {
		c, err := load("f.yaml", []byte(tt.file), flags(t, tt.args...), tt.environ)
		if err != nil {
			t.Fatal(err)
		}
		if c.Pools.ExternalName != tt.want {
			t.Errorf("%s %q %q: got %q, want %q", tt.file, tt.environ, tt.args, c.Pools.ExternalName, tt.want)
		}
		roundTrip(t, c)
	}
	for value, got := range map[string]string{"__public__": `"__public__"`, "": `""`, "a/b": `"a/b"`, "Public": `"Public"`} {
		refused(t, good+fmt.Sprintf("pools:\n  external_name: %q", value), nil, nil, "f.yaml:3: pools.external_name: "+nameWanted+got)
		refused(t, good, []string{"BUOYD_POOLS_EXTERNAL_NAME=" + value}, nil, "environment BUOYD_POOLS_EXTERNAL_NAME: pools.external_name: "+nameWanted+got)
		refused(t, good, nil, []string{"--pools-external-name=" + value}, "flag --pools-external-name: pools.external_name: "+nameWanted+got)
	}
}

// The text of a mapping in braces is no pool but under pools.global, and a
// mapping is refused under every other single value.
func TestOnlyThePoolIsAMapping(t *testing.T) {
	const mapping = "{domain: d, project: p, network: n, name: x}"
	for i, section := range reflect.VisibleFields(reflect.TypeFor[file]()) {
		_, sections := fields(reflect.TypeFor[file](), "")
		in, text := section.Type, sections[i]+": {%s: "+mapping+"}"
		path := sections[i]
		if in.Kind() == reflect.Slice {
			in, text, path = in.Elem(), sections[i]+":\n- {%s: "+mapping+"}", path+"[0]"
		}
		types, names := fields(in, "")
		for _, name := range names {
			if path+"."+name == "pools.global" {
				continue
			}
			want := path + "." + name + ": expected a single value, got a mapping"
			if types[name].Kind() == reflect.Slice {
				want = path + "." + name + ": expected a list, got a mapping"
			}
			_, err := load("f.yaml", fmt.Appendf(nil, text, name), flags(t, "--bgp-as=1", "--bgp-router-id=10.0.0.2"), nil)
			if err == nil || !strings.Contains(err.Error()+"\n", ": "+want+"\n") {
				t.Errorf("got %v\nwant %s", err, want)
			}
		}
	}
	refused(t, good+"pools: {external_name: "+mapping+"}", nil, nil, "f.yaml:2: pools.external_name: expected a single value, got a mapping")
	refused(t, good, nil, []string{"--pools-external-name=" + mapping}, `flag --pools-external-name: pools.external_name: `+nameWanted+`"`+mapping+`"`)
}

// What a Config with a pool prints.
func TestPoolYAML(t *testing.T) {
	c, err := load("f.yaml", []byte(good), flags(t, "--pools-global="+asPython, "--pools-external-name=7"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "pools:\n  global: " + publicPool + "\n  external_name: \"7\"\n"
	if got := string(c.YAML()); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	roundTrip(t, c)
}

// Every form of the same parts means the same pool, or is refused.
func FuzzPoolForms(f *testing.F) {
	for _, s := range [][4]string{{"default-domain", "default", "vn-public", "public"}, {"", "p", "__public__", ""}, {"'", "a:b", "c/d", "\"}"},
		{"\x7f", "\u2028", "\U0001F600", "\xff"}, {"{", "true", "1", "~"}, {"d", "projects", "networks", "pools"}} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	f.Fuzz(func(t *testing.T, domain, project, network, name string) {
		valid := inventory.CheckID(project) == nil && inventory.CheckID(network) == nil && inventory.CheckID(name) == nil
		mapping := map[string]any{"domain": domain, "project": project, "network": network, "name": name}
		resource := inventory.PoolName(inventory.NetworkName(project, network), name)
		file, err := yaml.Marshal(map[string]any{"bgp": map[string]any{"as": 1, "router_id": "10.0.0.2"}, "pools": map[string]any{"global": mapping}})
		if err != nil {
			t.Skip(err)
		}
		for _, form := range []struct {
			text string
			file []byte
		}{
			{resource, []byte(good)},
			{"d:" + project + ":" + network + ":" + name, []byte(good)},
			{flow(map[string]any{"project": project, "network": network, "name": name}), []byte(good)},
			{"", file},
		} {
			var environ []string
			if form.text != "" {
				environ = []string{"BUOYD_POOLS_GLOBAL=" + form.text}
			}
			c, err := load("f.yaml", form.file, flags(t), environ)
			switch {
			case err == nil && !valid:
				t.Errorf("%q %s: accepted as %s", form.text, form.file, c.Pools.Global)
			case err == nil && c.Pools.Global != resource:
				t.Errorf("%q %s: got %s, want %s", form.text, form.file, c.Pools.Global, resource)
			case err != nil && valid && !strings.Contains(err.Error(), "pools.global.domain: "):
				t.Errorf("%q %s: %v", form.text, form.file, err)
			}
		}
	})
}

// Whatever the text: a pool that is read back, or an error that says where.
func FuzzPoolText(f *testing.F) {
	for _, s := range []string{"", publicPool, "default-domain:default:vn-public:public", asPython, "{}", "{{}}", "{? a : b", "{project: &p p, network: *p}",
		"{project: p, network: n, name: x}\n---\n", "{<<: {}, project: !x p}", "{\"\\0\": 1}", "{a: b}: c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load("f.yaml", []byte(good), flags(t, "--pools-global="+text), nil)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "flag --pools-global: ") || !strings.Contains(line, "pools.global") {
					t.Errorf("%q: %s", text, line)
				}
			}
			return
		}
		if inventory.KindOf(c.Pools.Global) != inventory.KindPool {
			t.Errorf("%q: got %s", text, c.Pools.Global)
		}
		roundTrip(t, c)
	})
}
