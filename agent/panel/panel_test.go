package panel

import (
	"strings"
	"testing"
	"time"
)

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := New(Config{
		Button: Button{Line: "GPIO17", Input: "keypad", Key: "KEY_F99", Bias: "up", Debounce: time.Second, LongPress: time.Minute},
		Lamp:   Lamp{Line: "GPIO17"},
	})
	want := `button: is line GPIO17 and input keypad; remove one
button: input must be a path such as /dev/input/by-id/usb-Keypad-event-kbd (got keypad)
button: key must be a name of the kernel's such as KEY_F1 or BTN_0 (got KEY_F99)
button: bias must be one of pull-up, pull-down, none, as-is (got up)
button: debounce must be 0s to 100ms (got 1s)
button: long press must be 500ms to 10s (got 1m0s)
lamp: GPIO17 is the button's line; name another`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if _, err := New(Config{Button: Button{Key: "KEY_F1"}}); err == nil || err.Error() != "button: key KEY_F1 needs an input" {
		t.Errorf("a key of nothing: %v", err)
	}
}

func TestNewTouchesNothing(t *testing.T) {
	for name, c := range map[string]Config{
		"nothing": {},
		"line":    {Button: Button{Line: "no such line"}, Lamp: Lamp{Line: "nor such"}},
		"input":   {Button: Button{Input: "/no/such/device", Key: "BTN_0"}},
	} {
		p, err := New(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (p.button == nil) != (name == "nothing") || (p.lamp == nil) != (name != "line") || p.cfg.Button.LongPress != 2*time.Second {
			t.Errorf("%s gives %+v", name, p)
		}
	}
}

// Where there is no such device, the error says what there is.
func TestNoSuchButton(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		b    Button
		want string
	}{
		{Button{Line: "no-such-line"}, "no GPIO line is called no-such-line"},
		{Button{Input: dir + "/keypad"}, "no input device is plugged in that has a name there"},
		{Button{Input: "/dev/null"}, "/dev/null: is no input device"},
	} {
		if f, err := tt.b.Examine(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %+v %v, want %s", tt.b, f, err, tt.want)
		}
	}
	if f, err := (Lamp{Line: "no-such-line"}).Examine(); err == nil || !strings.Contains(err.Error(), "no GPIO line is called no-such-line") {
		t.Errorf("lamp: %+v %v", f, err)
	}
}
