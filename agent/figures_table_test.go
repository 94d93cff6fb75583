//go:build figures && linux

package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gadeblik/inference/onnx"
)

// TestFigures prints the design's table of numbers: what exists is measured
// here, both sides of a ratio in turns. It judges no time, which another load of
// the machine would change: it fails only where something cannot run.
func TestFigures(t *testing.T) {
	printHead()
	for _, f := range []struct {
		name    string
		measure func(*testing.T) []row
	}{
		{"pipeline", pipelineFigures},
		{"redaction", redactionFigures},
		{"letterbox", letterboxFigures},
		{"gate", gateFigures},
		{"disk", diskFigures},
		{"publish", publishFigures},
		{"threads", threadFigures},
		{"allocations", allocationFigures},
	} {
		t.Run(f.name, func(t *testing.T) {
			for _, r := range f.measure(t) {
				r.print()
			}
		})
	}
}

// result is what a figure says of its bar.
type result string

const (
	reached     result = "held"
	missed      result = "missed"
	notBuilt    result = "not yet built"
	notMeasured result = "not measured"
	noBar       result = "–"
)

// row is one line of the table, with a note of how it came about.
type row struct {
	what, measured, bar string
	result              result
	note                string
}

const rowFormat = "%-62s %-26s %-10s %s\n"

func printHead() {
	fmt.Printf("\n%s, %d cores, %s, %s/%s, %s\n", processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, library())
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf("Load before the first figure: %s. What else runs costs time, caches and threads.\n", strings.Fields(string(raw))[0])
	}
	fmt.Print("Ratios are medians of pairs measured in turns, with the middle half of them in brackets.\n\n")
	fmt.Printf(rowFormat, "what", "measured", "bar", "")
	fmt.Println(strings.Repeat("-", 114))
}

func (r row) print() {
	line := fmt.Sprintf(rowFormat, r.what, orDash(r.measured), orDash(r.bar), r.result)
	fmt.Print(line + indented(r.note))
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// indented breaks a note into lines.
func indented(note string) string {
	const width = 108
	var b strings.Builder
	room := 0
	for _, word := range strings.Fields(note) {
		n := len([]rune(word)) + 1
		if room < n {
			if b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString("     ")
			room = width
		}
		b.WriteString(" " + word)
		room -= n
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// judged compares a figure with the most that the bar allows.
func judged(value, most float64) result {
	if value <= most {
		return reached
	}
	return missed
}

// and is held where both are.
func (r result) and(other result) result {
	if r == reached {
		return other
	}
	return r
}

// unless adds why a bar is missed and what will change that.
func (r result) unless(reason string) string {
	if r != missed {
		return ""
	}
	return "; " + reason
}

// series is what one side cost, time after time.
type series []float64

func (s series) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func (s series) median() float64 { return s.quantile(0.5) }

// over divides two series pair by pair, so that what slows the machine for a
// while slows both sides of a pair.
func (s series) over(other series) series {
	out := make(series, len(s))
	for i := range s {
		out[i] = s[i] / other[i]
	}
	return out
}

func (s series) minus(other series) series {
	out := make(series, len(s))
	for i := range s {
		out[i] = s[i] - other[i]
	}
	return out
}

// with writes median and middle half with so many decimals, in a unit if there
// is one.
func (s series) with(decimals int, unit string) string {
	number := func(q float64) string { return strconv.FormatFloat(s.quantile(q), 'f', decimals, 64) }
	return strings.TrimSpace(number(0.5)+" "+unit) + " (" + number(0.25) + "–" + number(0.75) + ")"
}

// ms writes a median of nanoseconds.
func (s series) ms() string { return fmt.Sprintf("%.1f ms", s.median()/1e6) }

// side is one side of a comparison: it does its work once and says what that
// cost.
type side func() (float64, error)

// inTurns lets the sides work in turns and returns what each time cost, by side.
// A first turn is not counted, in which caches and pools fill.
func inTurns(t *testing.T, rounds int, sides ...side) []series {
	t.Helper()
	costs := make([]series, len(sides))
	for round := range rounds + 1 {
		for i, work := range sides {
			cost, err := work()
			if err != nil {
				t.Fatal(err)
			}
			if round > 0 {
				costs[i] = append(costs[i], cost)
			}
		}
	}
	return costs
}

// cpuOf costs the processor time of all threads, in nanoseconds.
func cpuOf(work func() error) side {
	return func() (float64, error) {
		before := processorTime()
		err := work()
		return float64(processorTime() - before), err
	}
}

// eachOf costs the processor time of each of n things that work does. It is not
// the time that passes, in which other programs have their turns.
func eachOf(n int, work func() error) side {
	whole := cpuOf(work)
	return func() (float64, error) {
		cost, err := whole()
		return cost / float64(n), err
	}
}

// times is work n times over.
func times(n int, work func() error) func() error {
	return func() error {
		for range n {
			if err := work(); err != nil {
				return err
			}
		}
		return nil
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(raw)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return "unknown processor"
}

func library() string {
	lib, err := onnx.Find("")
	if err != nil {
		return "no ONNX Runtime"
	}
	rt, err := onnx.Open(lib)
	if err != nil {
		return "no ONNX Runtime"
	}
	return "ONNX Runtime " + rt.Version()
}

// sharedPath is a path in the folder of test data beside the repository.
func sharedPath(elem ...string) string {
	root := os.Getenv("GADEBLIK_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	return filepath.Join(append([]string{root}, elem...)...)
}
