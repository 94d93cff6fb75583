package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"gadeblik/agent"
	"gadeblik/agent/panel"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

func TestLight(t *testing.T) {
	on := agent.SwitchState{On: true}
	for _, tt := range []struct {
		name string
		st   uplink.Status
		sw   agent.SwitchState
		want panel.Light
	}{
		{"off", uplink.Status{State: uplink.Off}, agent.SwitchState{}, panel.Dark},
		{"just turned off", uplink.Status{State: uplink.Capturing}, agent.SwitchState{}, panel.Dark},
		{"just turned on", uplink.Status{State: uplink.Off}, on, panel.Dark},
		{"in no zone", uplink.Status{State: uplink.Armed, Reason: "outside"}, on, panel.Armed},
		{"capturing", uplink.Status{State: uplink.Capturing, Reason: "open"}, on, panel.Capturing},
		{"under a roof", uplink.Status{State: uplink.NoFix, Reason: "stale_fix"}, on, panel.Armed},
		{"no time yet", uplink.Status{State: uplink.NoFix, Reason: "no_time"}, on, panel.Armed},
		{"the receiver is gone", uplink.Status{State: uplink.NoFix, Reason: "open /dev/ttyGPS: no such file or directory"}, on, panel.Fault},
		{"the camera is gone", uplink.Status{State: uplink.Degraded, Reason: "open camera"}, on, panel.Fault},
		{"no orders", uplink.Status{State: uplink.Degraded, Reason: "no_orders"}, on, panel.Fault},
		{"broken, but off", uplink.Status{State: uplink.Degraded, Reason: "no_orders"}, agent.SwitchState{}, panel.Dark},
		{"for the shift", uplink.Status{State: uplink.Off}, agent.SwitchState{Paused: true}, panel.Paused},
		{"by a command", uplink.Status{State: uplink.Armed, Reason: "paused", Paused: true}, on, panel.Paused},
		{"by a command, and off", uplink.Status{State: uplink.Off, Paused: true}, agent.SwitchState{}, panel.Dark},
		{"the button is stuck", uplink.Status{State: uplink.Off}, agent.SwitchState{Fault: "button stuck"}, panel.Fault},
		{"stuck and paused", uplink.Status{State: uplink.Off}, agent.SwitchState{Fault: "button stuck", Paused: true}, panel.Fault},
		{"stopped", uplink.Status{State: uplink.Stopped}, on, panel.Dark},
	} {
		if got := light(tt.st, tt.sw); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A configuration the panel refuses ends the run with the key's section; a button that
// is not there is a fault of the switch and ends nothing.
func TestRunPanel(t *testing.T) {
	a := new(agent.Agent)
	err := runPanel(t.Context(), config.Switch{Button: config.Button{Line: "GPIO17", Bias: "up"}}, slog.New(slog.DiscardHandler), a)
	if err == nil || err.Error() != "switch: button: bias must be one of pull-up, pull-down, none, as-is (got up)" {
		t.Errorf("got %v", err)
	}
	d := agent.NewSwitch(0, time.Now())
	var _ panel.Driver = d
	if d.On() {
		t.Error("on from the beginning")
	}
	d.Set(true, "socket", time.Now())
	if !d.On() {
		t.Error("off, and was turned on")
	}
}

func TestDoctorsButton(t *testing.T) {
	const where = "GPIO17 (gpiochip0:17, pinctrl-rp1)"
	for _, tt := range []struct {
		name  string
		found panel.Finding
		err   error
		b     config.Button
		state string
		says  string // begins so
		mend  string // holds this
	}{
		{name: "well", found: panel.Finding{Where: where}, state: healthy, says: where + ", not pressed"},
		{name: "pressed", found: panel.Finding{Where: where, Pressed: true}, state: doubt, says: where + " is pressed now", mend: "active_low"},
		{name: "held by the agent", found: panel.Finding{Where: where, UsedBy: "gadeblik button"}, state: doubt, says: where + " is held by an agent", mend: "stop it"},
		{name: "used", found: panel.Finding{Where: where, UsedBy: "fan"}, state: ill, says: where + " is used by fan", mend: "switch.button.line"},
		{name: "missing", err: errors.New("no GPIO line is called GPIO71"), state: ill, says: "no GPIO line", mend: "switch.button.line"},
		{name: "denied", err: fmt.Errorf("open /dev/gpiochip0: %w", fs.ErrPermission), state: ill, says: "open /dev/gpiochip0", mend: "group gpio"},
		{name: "input grabbed", err: fmt.Errorf("x: is grabbed by another program: %w", syscall.EBUSY), b: config.Button{Input: "x"}, state: doubt, says: "x: is grabbed", mend: "stop that"},
		{name: "input denied", err: fmt.Errorf("open /dev/input/event0: %w", fs.ErrPermission), b: config.Button{Input: "x"}, state: ill, says: "open /dev/input", mend: "group input"},
	} {
		c := buttonFound(tt.found, tt.err, tt.b)
		if c.Part != "button" || c.State != tt.state || !strings.HasPrefix(c.Says, tt.says) || !strings.Contains(c.Mend, tt.mend) || (tt.mend == "") != (c.Mend == "") {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestDoctorWithoutPanel(t *testing.T) {
	cfg := config.Defaults()
	v := &visit{cfg: &cfg}
	for _, look := range []func(context.Context) []checkup{v.button, v.lamp} {
		if c := look(t.Context())[0]; c.State != healthy || c.Mend != "" {
			t.Errorf("without any: %+v", c)
		}
	}
	cfg.Switch.Button.Line, cfg.Switch.Lamp.Line = "no-such-line", "no-such-lamp"
	for _, look := range []func(context.Context) []checkup{v.button, v.lamp} {
		if c := look(t.Context())[0]; c.State != ill || !strings.Contains(c.Says, "no-such-") || c.Mend == "" {
			t.Errorf("missing: %+v", c)
		}
	}
}

func TestDoctorOnAPanelInUse(t *testing.T) {
	const where = "GPIO17 (gpiochip0:17, pinctrl-rp1)"
	line, input := panel.Finding{Where: where, UsedBy: "gadeblik button"}, fmt.Errorf("x: is grabbed by another program: %w", syscall.EBUSY)
	for _, tt := range []struct {
		name              string
		agent             *condition
		found             panel.Finding
		err               error
		state, says, mend string // state "" is no line
	}{
		{name: "no agent", found: line},
		{name: "nobody", agent: &condition{}, found: panel.Finding{Where: where}},
		{name: "somebody else", agent: &condition{}, found: panel.Finding{Where: where, UsedBy: "fan"}},
		{name: "not there", agent: &condition{}, err: fs.ErrNotExist},
		{name: "the agent", agent: &condition{}, found: line, state: healthy, says: where + " is held by the agent"},
		{name: "the agent, which is not content", agent: &condition{Switch: agent.SwitchState{Fault: "button is stuck"}}, found: line, state: doubt, says: "button is stuck", mend: "wiring"},
		{name: "a key", agent: &condition{}, err: input, state: healthy, says: "the agent has it"},
		{name: "a key that the agent misses", agent: &condition{Switch: agent.SwitchState{Fault: "no button"}}, err: input},
	} {
		c, ok := (&visit{agent: tt.agent}).inUse("button", tt.found, tt.err)
		if ok != (tt.state != "") {
			t.Errorf("%s: %t, %+v", tt.name, ok, c)
		} else if ok {
			c.is(t, tt.name, tt.state, tt.says, tt.mend)
		}
	}
}
