package main

import (
	"strings"
	"testing"
)

const hint = "Run 'buoyd --help' for usage.\n"

func TestCommandLine(t *testing.T) {
	h := newHome(t)
	good := h.config(t, 64512)
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		want    outcome
	}{
		{"check", nil, []string{"config", "check", "--config", good}, outcome{0, "the configuration is valid\n", ""}},
		{"check, flag first", nil, []string{"--config", good, "config", "check"}, outcome{0, "the configuration is valid\n", ""}},
		{"check of nothing", nil, []string{"config", "check"}, outcome{1, "",
			"buoyd: bgp.as: expected an AS 1..4294967295, got nothing (set it in the file, with BUOYD_BGP_AS or --bgp-as)\n" +
				"bgp.router_id: expected a unicast IPv4 address, for example 10.0.0.2, got nothing (set it in the file, with BUOYD_BGP_ROUTER_ID or --bgp-router-id)\nno configuration file was given: --config FILE\n"}},
		{"environment", []string{"BUOYD_BGP_AS=x"}, []string{"config", "check", "--config", good}, outcome{1, "",
			"buoyd: environment BUOYD_BGP_AS: bgp.as: expected an AS 1..4294967295, got \"x\"\n"}},
		{"no such file", nil, []string{"--config", "/nonexistent.yaml"}, outcome{1, "",
			"buoyd: flag --config: open /nonexistent.yaml: no such file or directory\n"}},
		{"unknown command", nil, []string{"start"}, outcome{2, "", "buoyd: unknown command \"start\" for \"buoyd\"\n" + hint}},
		{"unknown flag", nil, []string{"--daemon"}, outcome{2, "", "buoyd: unknown flag: --daemon\n" + hint}},
		{"flag without value", nil, []string{"--config"}, outcome{2, "", "buoyd: flag needs an argument: --config\n" + hint}},
		{"config alone", nil, []string{"config"}, outcome{2, "", "buoyd: config: expected check or show\n" + hint}},
		{"config of something else", nil, []string{"config", "edit"}, outcome{2, "", "buoyd: unknown command \"edit\" for \"buoyd config\"\n" + hint}},
		{"too many arguments", nil, []string{"config", "check", good}, outcome{2, "", "buoyd: unknown command \"" + good + "\" for \"buoyd config check\"\n" + hint}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := buoyd(t, tt.environ, tt.args...); got != tt.want {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// An unknown key stops the daemon from starting; the text says where and what.
func TestUnknownKey(t *testing.T) {
	h := newHome(t)
	name := h.write(t, "bgp:\n  as: 64512\n  rooter_id: 10.0.0.2\n  router_id: 10.0.0.2\n")
	want := outcome{1, "", "buoyd: " + name + ":3: unknown key bgp.rooter_id, did you mean bgp.router_id?\n"}
	for _, args := range [][]string{{"--config", name}, {"config", "check", "--config", name}, {"config", "show", "--config", name}} {
		if got := buoyd(t, nil, args...); got != want {
			t.Errorf("%q: got %+v\nwant %+v", args, got, want)
		}
	}
}

// What show prints is a configuration that means the same.
func TestConfigShow(t *testing.T) {
	h := newHome(t)
	first := buoyd(t, []string{"BUOYD_LOG_LEVEL=debug"}, "config", "show", "--config", h.config(t, 64512), "--bgp-as", "64513")
	if first.status != 0 || first.stderr != "" {
		t.Fatalf("got %+v, want a configuration", first)
	}
	for _, want := range []string{"as: 64513", "level: debug", "name: mx1", "unix://" + h.socket()} {
		if !strings.Contains(first.stdout, want) {
			t.Errorf("got\n%s\nwant %q in it", first.stdout, want)
		}
	}
	if second := buoyd(t, nil, "config", "show", "--config", h.write(t, first.stdout)); second != first {
		t.Errorf("shown again: got %+v\nwant %+v", second, first)
	}
}

func TestVersion(t *testing.T) {
	got := buoyd(t, nil, "version")
	if got.status != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "buoyd ") || len(strings.Fields(got.stdout)) != 2 {
		t.Errorf("got %+v, want buoyd and its version", got)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "help", "config --help", "config check --help", "config show --help", "version --help"} {
		if got := buoyd(t, nil, strings.Fields(args)...); got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Usage:") {
			t.Errorf("%s: got %+v, want a usage on stdout", args, got)
		}
	}
}
