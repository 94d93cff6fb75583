package panel

import (
	"testing"

	"pgregory.net/rapid"
)

// board is two chips such as a Pi's and one of a virtual machine.
func board() []chip {
	return []chip{
		{"gpiochip0", "pinctrl-rp1", []line{
			{"gpiochip0", "pinctrl-rp1", 0, "ID_SDA", true, ""},
			{"gpiochip0", "pinctrl-rp1", 1, "GPIO17", false, ""},
			{"gpiochip0", "pinctrl-rp1", 2, "GPIO27", true, "fan"},
			{"gpiochip0", "pinctrl-rp1", 3, "-", false, ""},
		}},
		{"gpiochip4", "gpio-brcmstb", []line{{"gpiochip4", "gpio-brcmstb", 0, "-", false, ""}, {"gpiochip4", "gpio-brcmstb", 1, "2712_WAKE", false, ""}}},
		{"gpiochip5", "9030000.pl061", []line{{"gpiochip5", "9030000.pl061", 0, "", false, ""}}},
	}
}

func TestLocate(t *testing.T) {
	for _, tt := range []struct{ spec, want, err string }{
		{spec: "GPIO17", want: "GPIO17 (gpiochip0:1, pinctrl-rp1)"},
		{spec: "gpiochip0:2", want: "GPIO27 (gpiochip0:2, pinctrl-rp1)"},
		{spec: "9030000.pl061:0", want: "gpiochip5:0, 9030000.pl061"},
		{spec: "GPIO71", err: "no GPIO line is called GPIO71; the nearest are GPIO17, GPIO27, ID_SDA, -, 2712_WAKE"},
		{spec: "gpio17", err: "no GPIO line is called gpio17; the nearest are GPIO17, GPIO27, ID_SDA, -, 2712_WAKE"},
		{spec: "gpiochip0:4", err: "gpiochip0:4: chip gpiochip0 has lines 0 to 3"},
		{spec: "gpiochip0:-1", err: "gpiochip0:-1: chip gpiochip0 has lines 0 to 3"},
		{spec: "gpiochip9:1", err: "no GPIO chip is called gpiochip9; there is gpiochip0 (pinctrl-rp1, 4 lines), gpiochip4 (gpio-brcmstb, 2 lines), gpiochip5 (9030000.pl061, 1 lines)"},
		{spec: "-", err: "- is on - (gpiochip0:3, pinctrl-rp1) and on - (gpiochip4:0, gpio-brcmstb); write one of these as CHIP:OFFSET"},
	} {
		l, err := locate(board(), tt.spec)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s:\ngot  %v\nwant %s", tt.spec, err, tt.err)
			}
			continue
		}
		if err != nil || l.String() != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.spec, l, err, tt.want)
		}
	}
	if _, err := locate(nil, "GPIO17"); err == nil || err.Error() != "no GPIO line is called GPIO17: this computer shows no GPIO chip" {
		t.Errorf("without a chip: %v", err)
	}
}

// PL061 and many expanders name no line.
func TestLocateWithoutNames(t *testing.T) {
	_, err := locate(board()[2:], "GPIO17")
	if want := "no GPIO line is called GPIO17; no line has a name here, so write CHIP:OFFSET; there is gpiochip5 (9030000.pl061, 1 lines)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestUser(t *testing.T) {
	for i, want := range []string{"the kernel", "", "fan"} {
		if got := board()[0].lines[i].user(); got != want {
			t.Errorf("line %d is used by %q, want %q", i, got, want)
		}
	}
}

func TestApart(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"GPIO17", "gpio17", 0}, {"GPIO17", "GPIO7", 1}, {"GPIO17", "", 6}, {"kitten", "sitting", 3}} {
		if got := apart(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s are %d apart, want %d", tt.a, tt.b, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-cA-C]{0,6}`)
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		if apart(a, b) != apart(b, a) || apart(a, c) > apart(a, b)+apart(b, c) {
			t.Fatalf("%q, %q, %q: no distance", a, b, c)
		}
	})
}
