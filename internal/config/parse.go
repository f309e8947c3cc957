package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

func parseAS(s string) (uint32, error) {
	n, ok := parseNumber(s, 32)
	if !ok {
		return 0, expected("an AS 1..4294967295", s)
	}
	if n == neighbor.ASTrans {
		return 0, expected("an AS other than AS_TRANS (RFC 6793)", s)
	}
	return uint32(n), nil
}

func parsePort(s string) (uint16, error) {
	n, ok := parseNumber(s, 16)
	if !ok {
		return 0, expected("a port 1..65535", s)
	}
	return uint16(n), nil
}

func parseMaxEvents(s string) (int, error) {
	n, ok := parseNumber(s, 32)
	if !ok || n < 100 || n > 10_000_000 {
		return 0, expected("a number 100..10000000", s)
	}
	return int(n), nil
}

// parseNumber reads a positive decimal number. A leading zero is refused: YAML
// 1.1 takes 010 for eight.
func parseNumber(s string, bits int) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, bits)
	return n, err == nil && s[0] != '0'
}

// parseRouterID reads a BGP identifier, which must be a valid unicast IPv4
// address (RFC 4271 §6.2).
func parseRouterID(s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.Is4() || addr.IsUnspecified() || addr.As4()[0] >= 224 {
		return netip.Addr{}, expected("a unicast IPv4 address, for example 10.0.0.2", s)
	}
	return addr, nil
}

func parseListen(s string) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Addr().Zone() != "" || ap.Addr().Is4In6() || ap.Addr().IsMulticast() {
		return netip.AddrPort{}, expected("an IP address and a port, for example 0.0.0.0:179 or [::]:179", s)
	}
	return ap, nil
}

func parseAddress(s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, expected("an IPv4 or IPv6 address, for example 10.0.0.1", s)
	}
	return addr, nil
}

func parseDriver(s string) (Driver, error) {
	if Driver(s) != Bolt {
		return "", expected("bolt", s)
	}
	return Bolt, nil
}

func parsePath(s string) (string, error) {
	if !validPath(s) {
		return "", expected("a path of printable characters", s)
	}
	return s, nil
}

// validPath refuses what could not be told in a line of an error or of YAML.
func validPath(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func parseLevel(s string) (slog.Level, error) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if s == strings.ToLower(level.String()) {
			return level, nil
		}
	}
	return 0, expected("debug, info, warn or error", s)
}

func parseFormat(s string) (Format, error) {
	if f := Format(s); f == Text || f == JSON {
		return f, nil
	}
	return "", expected("text or json", s)
}

func parseBool(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, expected("true or false", s)
	}
	return s == "true", nil
}

func parseName(s string) (string, error) {
	if inventory.CheckID(s) != nil {
		return "", expected("a name of at most 63 lower-case letters, digits, '-', '_' and '.' that starts and ends with a letter or digit", s)
	}
	return s, nil
}

// parseRange reads a number of something within bounds. The least is 0 where that
// says more than nothing does.
func parseRange[N uint8 | uint16 | uint32](least, most N, unit string) func(string) (N, error) {
	return func(s string) (N, error) {
		n, ok := parseNumber(s, 32)
		if least == 0 && s == "0" {
			return 0, nil
		}
		if !ok || n < uint64(least) || n > uint64(most) {
			return 0, expected(fmt.Sprintf("%d..%d %s", least, most, unit), s)
		}
		return N(n), nil
	}
}

// parseVariable reads the name of an environment variable.
func parseVariable(s string) (string, error) {
	if !validPath(s) || strings.ContainsAny(s, "= ") {
		return "", expected("the name of an environment variable", s)
	}
	return s, nil
}
