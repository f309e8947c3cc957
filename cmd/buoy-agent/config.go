package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/buoynet/buoy/internal/dataplane"
)

// config is the settings, as in the file.
type config struct {
	Servers        []string      `mapstructure:"server"`
	Node           string        `mapstructure:"node"`
	Certificate    string        `mapstructure:"certificate"`
	Key            string        `mapstructure:"key"`
	CA             string        `mapstructure:"ca"`
	Address        string        `mapstructure:"address"`
	Encapsulations []string      `mapstructure:"encapsulation"`
	UDPPort        uint16        `mapstructure:"udp-port"`
	MTU            int           `mapstructure:"mtu"`
	Netns          string        `mapstructure:"netns"`
	Interfaces     []string      `mapstructure:"interface"`
	StateDir       string        `mapstructure:"state-dir"`
	Linger         time.Duration `mapstructure:"linger"`

	address        netip.Addr
	encapsulations []dataplane.Encapsulation
}

// minMTU is what IPv6 needs (RFC 8200 §5).
const minMTU = 1280

func addFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "a YAML `FILE` whose keys are the names of these flags")
	flags.StringSlice("server", nil, "where buoyd listens for compute nodes: unix://PATH or HOST:PORT; several if there are several control nodes")
	flags.String("node", "", "the `NAME` of this compute node")
	flags.String("certificate", "", "a PEM `FILE`: this node's certificate")
	flags.String("key", "", "a PEM `FILE`: its key")
	flags.String("ca", "", "a PEM `FILE`: who signs the certificates of buoyd")
	flags.String("address", "", "the tunnel address of this node, as in \"create computenode --address\"")
	flags.StringSlice("encapsulation", []string{"gre", "udp"}, "what the node sends and takes in, the best first")
	flags.Uint16("udp-port", 6635, "of MPLS-over-UDP")
	flags.Int("mtu", 0, "`BYTES` of the largest packet to gateways; 0 is that of the device with the address")
	flags.String("netns", "", "the network namespace to program, by name or path; empty is this process's")
	flags.StringSlice("interface", []string{"*"}, "which interfaces are reported to buoyd, like tap*")
	flags.Duration("linger", 10*time.Second, "how long a floating IP that was taken away is forwarded still: gateways learn it later, and send until then")
	flags.String("state-dir", "/var/lib/buoy-agent", "a `FOLDER` for what was programmed last, kept over a restart without buoyd")
}

func load(flags *pflag.FlagSet) (config, error) {
	v := viper.New()
	v.SetEnvPrefix("BUOY_AGENT")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	known := map[string]bool{}
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "help", "dry-run", "programme", "config":
			return
		}
		known[f.Name] = true
		err = errors.Join(err, v.BindPFlag(f.Name, f))
	})
	if err != nil {
		return config{}, err
	}
	if file, _ := flags.GetString("config"); file != "" {
		v.SetConfigFile(file)
		v.SetConfigType("yaml")
		if err := v.ReadInConfig(); err != nil {
			return config{}, fmt.Errorf("%s: %w", file, err)
		}
		for _, key := range v.AllKeys() {
			if !known[key] {
				return config{}, fmt.Errorf("%s: there is no setting %s", file, key)
			}
		}
	}
	var c config
	if err := v.Unmarshal(&c); err != nil {
		return config{}, err
	}
	return c, c.check()
}

// check says what is wrong with what is given.
func (c *config) check() error {
	var err error
	if c.Address != "" {
		if c.address, err = netip.ParseAddr(c.Address); err != nil || !c.address.Is4() {
			return fmt.Errorf("address: expected an IPv4 address, got %q; tunnels over IPv6 are not supported", c.Address)
		}
	}
	for _, e := range c.Encapsulations {
		encapsulation := dataplane.Encapsulation(e)
		if encapsulation != dataplane.GRE && encapsulation != dataplane.UDP || slices.Contains(c.encapsulations, encapsulation) {
			return fmt.Errorf("encapsulation: expected gre and udp, or one of them, got %s", strings.Join(c.Encapsulations, ","))
		}
		c.encapsulations = append(c.encapsulations, encapsulation)
	}
	if len(c.encapsulations) == 0 {
		return errors.New("encapsulation: expected gre, udp or both")
	}
	if c.UDPPort == 0 {
		return errors.New("udp-port: expected 1..65535, got 0")
	}
	if c.MTU != 0 && (c.inner() < minMTU || c.MTU > 65535) {
		return fmt.Errorf("mtu: expected 0, or %d..65535, got %d", minMTU+c.MTU-c.inner(), c.MTU)
	}
	if c.Linger < 0 || c.Linger > time.Hour {
		return fmt.Errorf("linger: expected 0s to 1h, got %v", c.Linger)
	}
	for _, pattern := range c.Interfaces {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("interface: expected patterns like tap*, got %q", pattern)
		}
	}
	if given := c.Certificate != ""; given != (c.Key != "") || given != (c.CA != "") {
		return errors.New("certificate, key, ca: expected all of them, or none")
	}
	return nil
}

// complete says what is missing to run.
func (c config) complete(servers bool) error {
	switch {
	case !c.address.IsValid():
		return errors.New("address: expected the tunnel address of this node")
	case servers && len(c.Servers) == 0:
		return errors.New("server: expected unix://PATH or HOST:PORT of buoyd")
	case servers && c.Node == "":
		return errors.New("node: expected the name of this compute node")
	}
	return nil
}

// inner is the MTU that packets of workloads find.
func (c config) inner() int {
	mtu := c.MTU
	for _, e := range c.encapsulations {
		mtu = min(mtu, c.MTU-c.settings().Overhead(e))
	}
	return mtu
}

func (c config) settings() dataplane.Settings {
	return dataplane.Settings{Address: c.address, MTU: c.MTU, Encapsulations: c.encapsulations, UDPPort: c.UDPPort}
}

func (c config) stateFile() string { return filepath.Join(c.StateDir, "programme.json") }

// tls returns nil without certificates.
func (c config) tls() (*tls.Config, error) {
	if c.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	text, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca: %s has no certificate", c.CA)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: roots}, nil
}
