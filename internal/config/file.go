package config

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/neighbor"
	"go.yaml.in/yaml/v3"
)

// file is buoyd.yaml as it stands there: text, not yet looked at. Its fields
// and their tags are the only list of what the file may hold.
type file struct {
	BGP struct {
		AS       plain    `yaml:"as"`
		RouterID string   `yaml:"router_id"`
		Listen   []string `yaml:"listen,flow"`
		Families []string `yaml:"families,flow"`
	} `yaml:"bgp"`
	API struct {
		Listen []string `yaml:"listen,flow"`
	} `yaml:"api"`
	ComputeNodes struct {
		Listen      []string `yaml:"listen,flow,omitempty"`
		Certificate string   `yaml:"certificate,omitempty"`
		Key         string   `yaml:"key,omitempty"`
		ClientCA    string   `yaml:"client_ca,omitempty"`
	} `yaml:"compute_nodes,omitempty"`
	Metrics struct {
		Listen []string `yaml:"listen,flow,omitempty"`
	} `yaml:"metrics,omitempty"`
	Store struct {
		Driver string `yaml:"driver"`
		Path   string `yaml:"path"`
	} `yaml:"store"`
	History struct {
		MaxEvents plain `yaml:"max_events"`
	} `yaml:"history"`
	Log struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	} `yaml:"log"`
	Pools struct {
		Global       pool   `yaml:"global,omitempty"`
		ExternalName string `yaml:"external_name"`
	} `yaml:"pools"`
	Neighbors []fileNeighbor `yaml:"neighbors"`
}

type fileNeighbor struct {
	Name     string   `yaml:"name"`
	Address  string   `yaml:"address"`
	AS       plain    `yaml:"as"`
	Port     plain    `yaml:"port"`
	Families []string `yaml:"families,flow"`
	Passive  plain    `yaml:"passive"`

	LocalAddress  string `yaml:"local_address,omitempty"`
	HoldTime      plain  `yaml:"hold_time"`
	KeepaliveTime plain  `yaml:"keepalive_time,omitempty"`
	TTLSecurity   plain  `yaml:"ttl_security,omitempty"`
	Multihop      plain  `yaml:"multihop,omitempty"`
	MD5KeyFile    string `yaml:"md5_key_file,omitempty"`
	MD5KeyEnv     string `yaml:"md5_key_env,omitempty"`

	GracefulRestart []string `yaml:"graceful_restart,flow"`
	RestartTime     plain    `yaml:"restart_time"`
	LongLivedTime   plain    `yaml:"long_lived_time"`
	LongLived       []string `yaml:"long_lived,flow,omitempty"`

	Encapsulations []string `yaml:"encapsulations,flow,omitempty"`
	MaxAdvertised  plain    `yaml:"max_advertised,omitempty"`

	AcceptPrefixes    []string `yaml:"accept_prefixes,flow,omitempty"`
	AcceptTargets     []string `yaml:"accept_targets,flow,omitempty"`
	MaxReceived       plain    `yaml:"max_received"`
	MaxReceivedAction string   `yaml:"max_received_action"`
}

// plain is a number or a boolean: text that is written without quotes.
type plain string

// MarshalYAML implements yaml.Marshaler.
func (p plain) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(p)}, nil
}

// YAML returns the configuration as a file that Load reads back to the same
// Config. It says where keys are, never what they are.
func (c Config) YAML() []byte {
	var f file
	f.BGP.AS = plain(fmt.Sprint(c.BGP.AS))
	f.BGP.RouterID = c.BGP.RouterID.String()
	f.BGP.Listen = texts(c.BGP.Listen)
	f.BGP.Families = c.BGP.Families.Strings()
	f.API.Listen = texts(c.API.Listen)
	f.ComputeNodes.Listen = texts(c.ComputeNodes.Listen)
	f.ComputeNodes.Certificate = c.ComputeNodes.Certificate
	f.ComputeNodes.Key = c.ComputeNodes.Key
	f.ComputeNodes.ClientCA = c.ComputeNodes.ClientCA
	f.Metrics.Listen = c.Metrics.texts()
	f.Store.Driver = string(c.Store.Driver)
	f.Store.Path = c.Store.Path
	f.History.MaxEvents = plain(fmt.Sprint(c.History.MaxEvents))
	f.Log.Level = strings.ToLower(c.Log.Level.String())
	f.Log.Format = string(c.Log.Format)
	f.Pools.Global = pool(c.Pools.Global)
	f.Pools.ExternalName = c.Pools.ExternalName
	for _, n := range c.Neighbors {
		f.Neighbors = append(f.Neighbors, fileNeighborOf(n))
	}

	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	// A file is made of text and lists of text: this cannot fail.
	if err := enc.Encode(f); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func fileNeighborOf(n neighbor.Settings) fileNeighbor {
	f := fileNeighbor{
		Name:     n.Name,
		Address:  n.Address.String(),
		AS:       plain(fmt.Sprint(n.AS)),
		Port:     plain(fmt.Sprint(n.Port)),
		Families: n.Families.Strings(),
		Passive:  plain(fmt.Sprint(n.Passive)),

		HoldTime:      plain(fmt.Sprint(n.Hold())),
		KeepaliveTime: number(n.KeepaliveTime),
		TTLSecurity:   number(n.TTLSecurity),
		Multihop:      number(n.Multihop),
		MD5KeyFile:    n.MD5Key.File,
		MD5KeyEnv:     n.MD5Key.Env,

		GracefulRestart: n.GracefulNames(),
		RestartTime:     plain(fmt.Sprint(n.Restart.RestartTime())),
		LongLivedTime:   plain(fmt.Sprint(n.Restart.LongLivedTime)),
		LongLived:       n.LongLived().Strings(),

		Encapsulations: n.Encapsulations.Strings(),
		MaxAdvertised:  number(n.MaxAdvertised),

		AcceptPrefixes:    n.AcceptPrefixes.Strings(),
		AcceptTargets:     n.AcceptTargets.Strings(),
		MaxReceived:       plain(fmt.Sprint(n.Maximum())),
		MaxReceivedAction: n.MaxReceivedAction.String(),
	}
	if n.LocalAddress.IsValid() {
		f.LocalAddress = n.LocalAddress.String()
	}
	return f
}

// number returns a number whose zero means that it is not there.
func number[N uint8 | uint16 | uint32](n N) plain {
	if n == 0 {
		return ""
	}
	return plain(fmt.Sprint(n))
}

func texts[T netip.AddrPort | Endpoint](list []T) (out []string) {
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
