package agent

import (
	"sync/atomic"
	"time"
)

// Switch is the driver's word: whether the vehicle may look. It is off until
// somebody turns it on, and turns itself off after a time. It is safe for
// concurrent use.
type Switch struct {
	autoOff time.Duration
	state   atomic.Pointer[SwitchState]
	changed chan struct{}
}

// SwitchState is what the switch says, since when, and who said so.
type SwitchState struct {
	On    bool      `json:"on"`
	Since time.Time `json:"since"`
	By    string    `json:"by"` // boot, socket, button, time
}

// NewSwitch returns a switch that is off. It turns itself off autoOff after it
// was turned on; 0 means never.
func NewSwitch(autoOff time.Duration, now time.Time) *Switch {
	s := &Switch{autoOff: autoOff, changed: make(chan struct{}, 1)}
	s.state.Store(&SwitchState{Since: now, By: "boot"})
	return s
}

// Set turns the switch on or off. Setting what is set already renews the time
// after which the switch turns itself off.
func (s *Switch) Set(on bool, by string, now time.Time) {
	s.state.Store(&SwitchState{On: on, Since: now, By: by})
	select {
	case s.changed <- struct{}{}:
	default: // somebody will look already
	}
}

// State returns what the switch says at the moment now, turning it off first
// where its time is over.
func (s *Switch) State(now time.Time) SwitchState {
	st := *s.state.Load()
	if st.On && s.autoOff > 0 && now.Sub(st.Since) >= s.autoOff {
		s.Set(false, "time", now)
		return *s.state.Load()
	}
	return st
}

// Changed is ready after the switch was set. It has one reader.
func (s *Switch) Changed() <-chan struct{} { return s.changed }
