package config

import (
	"errors"
	"net/netip"
)

const (
	metricsListen = "metrics.listen"
	// noMetrics alone in the list turns the metrics off, as an empty list does.
	noMetrics = "none"
)

// metrics validates where Prometheus connects to.
func (v *validation) metrics() (m Metrics) {
	list := v.file.Metrics.Listen
	m.Named = v.present(metricsListen)
	if len(list) == 0 || len(list) == 1 && list[0] == noMetrics {
		return m
	}
	m.Listen = unique(v, metricsListen, list, parseMetrics)
	return m
}

func parseMetrics(s string) (netip.AddrPort, error) {
	if s == noMetrics {
		return netip.AddrPort{}, errors.New("expected none alone, or addresses only")
	}
	addr, err := parseListen(s)
	if err != nil {
		return addr, expected("an IP address and a port, for example 127.0.0.1:9472, or none", s)
	}
	return addr, nil
}

// texts returns the list as a file has it. The default is not named: it would count as
// somebody's choice.
func (m Metrics) texts() []string {
	switch {
	case !m.Named:
		return nil
	case len(m.Listen) == 0:
		return []string{noMetrics}
	}
	return texts(m.Listen)
}
