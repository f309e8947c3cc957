package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/osrg/gobgp/v3/pkg/log"
)

// logger hands the engine's messages to slog. They speak of loopback addresses
// and bgp/wire says the same in the operator's words, so all but errors are
// for debugging.
type logger struct {
	log *slog.Logger
}

func (l *logger) Panic(msg string, fields log.Fields) {
	l.write(slog.LevelError, msg, fields)
	panic(msg)
}
func (l *logger) Fatal(msg string, fields log.Fields) {
	l.write(slog.LevelError, msg, fields)
	panic(msg)
}
func (l *logger) Error(msg string, fields log.Fields) { l.write(slog.LevelError, msg, fields) }

// Warn is for debugging too, but for a key that cannot be installed: then the
// session cannot come up.
func (l *logger) Warn(msg string, fields log.Fields) {
	level := slog.LevelDebug
	if strings.Contains(msg, "failed to set md5") {
		level = slog.LevelError
	}
	l.write(level, msg, fields)
}

func (l *logger) Info(msg string, fields log.Fields)  { l.write(slog.LevelDebug, msg, fields) }
func (l *logger) Debug(msg string, fields log.Fields) { l.write(slog.LevelDebug, msg, fields) }

func (l *logger) SetLevel(log.LogLevel) {}

func (l *logger) GetLevel() log.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return log.DebugLevel
	}
	return log.InfoLevel
}

func (l *logger) write(level slog.Level, msg string, fields log.Fields) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	args := make([]any, 0, 2*len(fields))
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		args = append(args, slog.String(k, fmt.Sprint(fields[k])))
	}
	l.log.Log(context.Background(), level, "engine: "+msg, args...)
}
