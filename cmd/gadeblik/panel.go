package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gadeblik/agent"
	"gadeblik/agent/panel"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// runPanel works the driver's button and lamp until ctx ends. Only a configuration
// that cannot be is an error; what is missing is a fault of the switch.
func runPanel(ctx context.Context, cfg config.Switch, log *slog.Logger, a *agent.Agent) error {
	p, err := panel.New(panel.Config{Button: button(cfg.Button), Lamp: panel.Lamp(cfg.Lamp), Log: log})
	if err != nil {
		return fmt.Errorf("switch: %w", err)
	}
	return p.Run(ctx, a.Switch(), func() panel.Light {
		return light(a.Status(), a.Switch().State(time.Now()))
	})
}

func button(b config.Button) panel.Button {
	return panel.Button{
		Line: b.Line, ActiveLow: b.ActiveLow, Bias: b.Bias,
		Input: b.Input, Key: b.Key, Debounce: b.Debounce, LongPress: b.LongPress,
	}
}

// light says what a driver needs to know of the agent: whether capture is off, allowed
// or under way; whether a pause keeps it from happening; and whether something is
// broken, so that the depot hears of it. It does not say what passes by itself: a
// vehicle that has no position yet, in a hall or under trees, is armed like one that
// is in no zone, because there is nothing to do about it. A GPS receiver that is gone
// is another matter; then the reason is none of the gate's.
func light(st uplink.Status, sw agent.SwitchState) panel.Light {
	switch {
	case sw.Fault != "":
		return panel.Fault
	case sw.Paused:
		return panel.Paused
	case !sw.On, st.State == uplink.Off, st.State == uplink.Stopped:
		return panel.Dark
	case st.State == uplink.Degraded:
		return panel.Fault
	case st.State == uplink.NoFix && !slices.Contains(passing[:], st.Reason):
		return panel.Fault
	case st.Paused: // by a command: nothing is broken, and nothing will be seen
		return panel.Paused
	case st.State == uplink.Capturing:
		return panel.Capturing
	}
	return panel.Armed
}

// passing are the gate's reasons for having no position.
var passing = [...]string{
	agent.NoTime.String(), agent.NoFix.String(), agent.StaleFix.String(),
	agent.PoorQuality.String(), agent.PoorAccuracy.String(), agent.ImplausibleJump.String(),
}
