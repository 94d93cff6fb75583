package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"gadeblik/agent/panel"
	"gadeblik/cmd/gadeblik/config"
)

// button looks for the driver's button, and whether it is pressed.
func (v *visit) button(context.Context) []checkup {
	b := v.cfg.Switch.Button
	if b.Line == "" && b.Input == "" {
		return []checkup{{"button", healthy, "none is configured; the control socket alone switches", ""}}
	}
	f, err := button(b).Examine()
	if c, ok := v.inUse("button", f, err); ok {
		return []checkup{c}
	}
	return []checkup{buttonFound(f, err, b)}
}

// inUse is the line on what a running agent has, as it should; not ok where none runs or
// somebody else has it.
func (v *visit) inUse(part string, f panel.Finding, err error) (checkup, bool) {
	input := errors.Is(err, syscall.EBUSY) // which does not say who has it
	if v.agent == nil || !input && !strings.HasPrefix(f.UsedBy, "gadeblik ") {
		return checkup{}, false
	}
	fault := v.agent.Switch.Fault
	switch {
	case fault != "" && input:
		return checkup{}, false
	case fault != "":
		return checkup{part, doubt, f.Where + " is held by the agent, which says: " + fault, "look at the wiring, and at switch." + part + " in the configuration"}, true
	case input:
		return checkup{part, healthy, "the agent has it", ""}, true
	}
	return checkup{part, healthy, f.Where + " is held by the agent", ""}, true
}

func buttonFound(f panel.Finding, err error, b config.Button) checkup {
	if err != nil {
		return deviceMissing("button", err, b.Input != "")
	}
	if f.UsedBy != "" {
		return deviceUsed("button", f)
	}
	if f.Pressed {
		return checkup{
			"button", doubt, f.Where + " is pressed now, and is a fault until it is let go",
			"let go of it; if nobody presses it, look at the wiring, switch.button.active_low and switch.button.bias",
		}
	}
	return checkup{"button", healthy, f.Where + ", not pressed", ""}
}

// lamp looks for the driver's lamp and leaves it as it is.
func (v *visit) lamp(context.Context) []checkup {
	if v.cfg.Switch.Lamp.Line == "" {
		return []checkup{{"lamp", healthy, "none is configured", ""}}
	}
	f, err := panel.Lamp(v.cfg.Switch.Lamp).Examine()
	if c, ok := v.inUse("lamp", f, err); ok {
		return []checkup{c}
	}
	switch {
	case err != nil:
		return []checkup{deviceMissing("lamp", err, false)}
	case f.UsedBy != "":
		return []checkup{deviceUsed("lamp", f)}
	}
	return []checkup{{"lamp", healthy, f.Where, ""}}
}

func deviceMissing(part string, err error, input bool) checkup {
	group, key := "gpio", "switch."+part+".line"
	if input {
		group, key = "input", "switch."+part+".input"
	}
	mend := "correct " + key + ", or empty it where there is none: until then the agent captures nothing"
	if errors.Is(err, syscall.EBUSY) { // an input device does not say who has it
		return checkup{part, doubt, err.Error(), "if it is the agent that has it, stop that for a full check"}
	}
	if errors.Is(err, fs.ErrPermission) {
		mend = fmt.Sprintf("put the agent's user into group %s (`usermod -aG %s gadeblik`), and see that the device belongs to it", group, group)
	}
	return checkup{part, ill, err.Error(), mend}
}

// deviceUsed is a line that somebody has: an agent that runs, or another program.
func deviceUsed(part string, f panel.Finding) checkup {
	if strings.HasPrefix(f.UsedBy, "gadeblik ") {
		return checkup{part, doubt, f.Where + " is held by an agent that runs", "stop it for a full check"}
	}
	return checkup{part, ill, f.Where + " is used by " + f.UsedBy, "free it, or name another line in switch." + part + ".line"}
}
