package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const firmwareFile = "sys/devices/platform/soc/soc:firmware/get_throttled"

// raspberry is the tree of a Raspberry Pi.
func raspberry(bits string) map[string]string {
	return map[string]string{
		"sys/class/thermal/thermal_zone0/temp":                 "61234\n",
		"sys/class/thermal/thermal_zone1/temp":                 "-274000\n",    // a sensor without power
		"sys/class/thermal/thermal_zone2/temp":                 "2147483647\n", // and another
		"sys/class/thermal/cooling_device0/type":               "pwm-fan\n",
		"sys/class/thermal/cooling_device0/cur_state":          "3\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
		"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
		firmwareFile: bits,
	}
}

func TestBoardFigures(t *testing.T) {
	jetson := map[string]string{
		"sys/class/thermal/thermal_zone0/temp":        "48500\n",
		"sys/class/thermal/thermal_zone1/temp":        "97250\n",
		"sys/class/thermal/cooling_device0/type":      "thermal-cpufreq-0\n",
		"sys/class/thermal/cooling_device0/cur_state": "2\n",
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  map[string]uint64
		says  string
	}{
		{"no sensor", nil, map[string]uint64{}, "this board has no sensor that says how warm it is"},
		{"calm", raspberry("0\n"), map[string]uint64{"temperature_dC": 612, "throttled": 0}, "61.2 °C, not throttled, processor at 1500 of 2400 MHz"},
		{"throttled once, not now", raspberry("40000\n"), map[string]uint64{"temperature_dC": 612, "throttled": 0}, "61.2 °C, not throttled, processor at 1500 of 2400 MHz"},
		{"throttled now", raspberry("0x50004\n"), map[string]uint64{"temperature_dC": 612, "throttled": 1}, "61.2 °C, throttled, processor at 1500 of 2400 MHz"},
		{"the kernel cools", jetson, map[string]uint64{"temperature_dC": 972, "throttled": 1}, "97.2 °C, throttled"},
		{"frost", map[string]string{"sys/class/thermal/thermal_zone0/temp": "-12500\n"}, map[string]uint64{"temperature_dC": 0}, "-12.5 °C"},
	} {
		b, got := newBoard(kernel(t, tt.files).root), map[string]uint64{}
		b.figures(got)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if says := b.now(time.Now()).String(); says != tt.says {
			t.Errorf("%s: got %q, want %q", tt.name, says, tt.says)
		}
	}
}

// TestBoardIsReadSeldom: sensors may be slow, so what was read counts for a while.
func TestBoardIsReadSeldom(t *testing.T) {
	k := kernel(t, raspberry("0\n"))
	b, begin := newBoard(k.root), time.Now()
	zone := filepath.Join(k.root, "sys/class/thermal/thermal_zone0/temp")
	for _, step := range []struct {
		after time.Duration
		temp  string
		want  int64
	}{
		{0, "61234\n", 61234},
		{heatEvery - time.Millisecond, "70000\n", 61234},
		{heatEvery, "70000\n", 70000},
		{heatEvery + time.Second, "75000\n", 70000},
	} {
		if err := os.WriteFile(zone, []byte(step.temp), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := b.now(begin.Add(step.after)).milli; got != step.want {
			t.Errorf("after %s: got %d, want %d", step.after, got, step.want)
		}
	}
}

// TestBoardIsCheap: the status asks once a second for as long as the vehicle runs.
func TestBoardIsCheap(t *testing.T) {
	b, m := newBoard(kernel(t, raspberry("0\n")).root), map[string]uint64{}
	b.figures(m)
	if n := testing.AllocsPerRun(100, func() { b.figures(m) }); n > 0 {
		t.Errorf("%v allocations between two readings, want none", n)
	}
	if n := testing.AllocsPerRun(100, func() { b.measure() }); n > 40 {
		t.Errorf("%v allocations for one reading, want at most 40", n)
	}
	if len(m) != 2 {
		t.Errorf("got %v", maps.Clone(m))
	}
}

func TestBoardLine(t *testing.T) {
	for _, tt := range []struct {
		counters map[string]uint64
		want     string
	}{
		{nil, ""},
		{map[string]uint64{"temperature_dC": 612, "throttled": 0}, "board  61.2 °C, not throttled\n"},
		{map[string]uint64{"temperature_dC": 905, "throttled": 1}, "board  90.5 °C, throttled\n"},
		{map[string]uint64{"temperature_dC": 7}, "board  0.7 °C\n"},
	} {
		if got := boardLine(tt.counters); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.counters, got, tt.want)
		}
	}
}

func TestFirmwareBitsInWords(t *testing.T) {
	h := heat{tells: true, bits: 0x50005}
	want := []string{"too low a voltage", "the processor was throttled"}
	if d := cmp.Diff(want, h.complaints(false)) + cmp.Diff(want, h.complaints(true)); d != "" {
		t.Error(d)
	}
	if got := (heat{bits: 0x80000}).complaints(false); got != nil {
		t.Errorf("what has been is taken for what is: %v", got)
	}
}

func BenchmarkBoard(b *testing.B) {
	board := newBoard("/")
	for b.Loop() {
		board.measure()
	}
}
