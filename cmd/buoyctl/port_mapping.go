package main

import (
	"fmt"
	"strconv"
	"strings"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// portMappings is a flag that is given like tcp:80:8080, also several times or
// with commas. An empty one stands for no mapping.
type portMappings struct{ list *[]*buoyv1.PortMapping }

// Set implements pflag.Value.
func (m portMappings) Set(text string) error {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		mapping, err := parsePortMapping(part)
		if err != nil {
			return err
		}
		*m.list = append(*m.list, mapping)
	}
	return nil
}

// String implements pflag.Value.
func (m portMappings) String() string {
	if m.list == nil {
		return ""
	}
	return describePortMappings(*m.list)
}

// Type implements pflag.Value.
func (m portMappings) Type() string { return "PROTOCOL:PORT:FIXED-PORT" }

func parsePortMapping(text string) (*buoyv1.PortMapping, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return nil, fmt.Errorf("expected three parts")
	}
	port, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil {
		return nil, err
	}
	fixed, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		return nil, err
	}
	return &buoyv1.PortMapping{Protocol: parts[0], Port: uint32(port), FixedPort: uint32(fixed)}, nil
}

func describePortMappings(list []*buoyv1.PortMapping) string {
	var texts []string
	for _, m := range list {
		texts = append(texts, fmt.Sprintf("%s:%d:%d", m.Protocol, m.Port, m.FixedPort))
	}
	return strings.Join(texts, ",")
}
