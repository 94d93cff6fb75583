package capture

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxDriveYAML = 64 << 10
	maxText      = 256
)

// driveInfo is what drive.yaml says.
type driveInfo struct {
	name    string
	started time.Time
	track   string
	source  string
	mount   Mount
	frames  int // how many it declares, -1 = it does not
}

// yamlReader collects every mistake of a file with its line.
type yamlReader struct {
	errs []error
}

func (r *yamlReader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("drive.yaml:%d: %s", n.Line, fmt.Sprintf(format, args...)))
}

// parseDriveYAML reads drive.yaml strictly: unknown and repeated keys, wrong
// types and values out of range are errors, all of them reported at once with
// their lines.
func parseDriveYAML(b []byte) (driveInfo, error) {
	info := driveInfo{frames: -1}
	if len(b) > maxDriveYAML {
		return info, fmt.Errorf("drive.yaml: %d bytes, at most %d are accepted", len(b), maxDriveYAML)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		// The parser writes "yaml: line 3: ...".
		return info, errors.New("drive.yaml:" + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml:"), " line "))
	}
	if len(doc.Content) == 0 {
		return info, errors.New("drive.yaml: empty; it needs at least name and started")
	}
	var r yamlReader
	top := doc.Content[0]
	keys := r.mapping(top, "drive.yaml", "name", "started", "track", "camera", "frames", "source")
	info.name = r.text(keys["name"], "name")
	info.track = r.text(keys["track"], "track")
	info.source = r.text(keys["source"], "source")
	info.started = r.utc(keys["started"], "started")
	r.camera(keys["camera"], &info.mount)
	r.frames(keys["frames"], &info)
	for _, k := range []string{"name", "started"} {
		if keys != nil && keys[k] == nil {
			r.fail(top, "%s is missing", k)
		}
	}
	return info, errors.Join(r.errs...)
}

func (r *yamlReader) camera(n *yaml.Node, m *Mount) {
	keys := r.mapping(n, "camera", "mount", "height_m", "pitch_deg", "hfov_deg")
	m.Position = r.text(keys["mount"], "camera.mount")
	m.HeightM = r.number(keys["height_m"], "camera.height_m", 0, 20)
	m.PitchDeg = r.number(keys["pitch_deg"], "camera.pitch_deg", -90, 90)
	m.HFovDeg = r.number(keys["hfov_deg"], "camera.hfov_deg", 0, 360)
}

func (r *yamlReader) frames(n *yaml.Node, info *driveInfo) {
	keys := r.mapping(n, "frames", "count", "naming")
	if c := keys["count"]; c != nil {
		info.frames = int(r.number(c, "frames.count", 0, maxFrames))
	}
	if s := keys["naming"]; s != nil {
		if t := r.text(s, "frames.naming"); t != "milliseconds since started" {
			r.fail(s, "frames.naming: must be \"milliseconds since started\" (got %q)", t)
		}
	}
}

// mapping returns the values of a mapping by key, nil for none.
func (r *yamlReader) mapping(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s: must be a mapping of %s", what, strings.Join(known, ", "))
		return nil
	}
	keys := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case !slices.Contains(known, k.Value):
			r.fail(k, "unknown key %q; %s has %s", clip(k.Value), what, strings.Join(known, ", "))
		case keys[k.Value] != nil:
			r.fail(k, "key %q twice", k.Value)
		default:
			keys[k.Value] = n.Content[i+1]
		}
	}
	return keys
}

func (r *yamlReader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	s := n.Value
	if n.Kind != yaml.ScalarNode || s == "" || len(s) > maxText || !printable(s) {
		r.fail(n, "%s: must be one line of text, 1 to %d bytes", what, maxText)
		return ""
	}
	return s
}

func (r *yamlReader) number(n *yaml.Node, what string, low, high float64) float64 {
	if n == nil {
		return 0
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) || v < low || v > high {
		r.fail(n, "%s: must be a number from %g to %g (got %q)", what, low, high, clip(n.Value))
		return 0
	}
	return v
}

func (r *yamlReader) utc(n *yaml.Node, what string) time.Time {
	if n == nil {
		return time.Time{}
	}
	t, err := parseUTC(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		r.fail(n, "%s: must be a time in UTC such as 2026-06-02T07:20:00Z (got %q)", what, clip(n.Value))
		return time.Time{}
	}
	return t
}

// parseUTC reads an RFC 3339 time whose zone is UTC, in the years that a drive
// can be from.
func parseUTC(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, err
	}
	if _, off := t.Zone(); off != 0 {
		return time.Time{}, errors.New("not UTC")
	}
	if t.Year() < minYear || t.Year() > maxYear {
		return time.Time{}, fmt.Errorf("year %d", t.Year())
	}
	return t.UTC(), nil
}

const minYear, maxYear = 1990, 2200

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return !strconv.IsPrint(c) })
}

// plain makes what a file says fit for a line of text.
func plain(s string) string {
	if s = clip(s); !printable(s) {
		return strconv.Quote(s)
	}
	return s
}

// clip shortens what a file says, for an error message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
