package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holoplot/go-evdev"
)

// check looks at the driver's button. Whether it is there is the doctor's business.
func (b Button) check(p *problems) {
	const key = "switch.button."
	if b.Line != "" && b.Input != "" {
		p.add(key+"input", "cannot be set together with switch.button.line; remove one")
	}
	checkLine(p, key+"line", b.Line)
	if b.Input != "" && !strings.HasPrefix(b.Input, "/") {
		p.add(key+"input", "must be a path such as /dev/input/by-id/usb-Keypad-event-kbd (got %s)", quote(b.Input))
	}
	if _, known := evdev.KEYFromString[b.Key]; b.Key != "" && !known {
		p.add(key+"key", "must be a key of the kernel's such as KEY_F1 or BTN_0 (got %s)%s", quote(b.Key), nearKey(b.Key))
	}
	if b.Key != "" && b.Input == "" {
		p.add(key+"key", "needs switch.button.input")
	}
	oneOf(p, key+"bias", b.Bias, "pull-up", "pull-down", "none", "as-is")
	within(p, key+"debounce", b.Debounce, 0, 100*time.Millisecond)
	within(p, key+"long_press", b.LongPress, 500*time.Millisecond, 10*time.Second)
}

func nearKey(name string) string {
	if near := Nearest(name, slices.Sorted(maps.Keys(evdev.KEYFromString))); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

func (l Lamp) check(p *problems, b Button) {
	checkLine(p, "switch.lamp.line", l.Line)
	if l.Line != "" && l.Line == b.Line {
		p.add("switch.lamp.line", "is the button's line %s; name another", quote(l.Line))
	}
}

// checkLine finds what can be no line on any computer.
func checkLine(p *problems, key, line string) {
	chip, offset, numbered := cutLast(line, ":")
	switch {
	case strings.HasPrefix(line, "/"):
		p.add(key, "must be the name of a line such as GPIO17, or CHIP:OFFSET such as gpiochip0:17 (got %s)", quote(line))
	case numbered && (chip == "" || !digits(offset)):
		p.add(key, "must end with a number after its colon, such as gpiochip0:17 (got %s)", quote(line))
	case line != "" && !numbered && digits(line):
		p.add(key, "%s may be a line of any chip; write its name, such as GPIO%s, or CHIP:OFFSET, such as gpiochip0:%s", line, line, line)
	case len(line) > 64: // the kernel's names have 31 characters, a chip's and an offset 43
		p.add(key, "must have at most 64 characters (got %d)", len(line))
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func digits(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}
