package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Switch is the driver's word: whether the vehicle may look. It is off until
// somebody turns it on, and turns itself off after a time. It is safe for
// concurrent use.
type Switch struct {
	autoOff time.Duration
	mu      sync.Mutex // held by whoever changes the state
	state   atomic.Pointer[switchState]
	changed chan struct{}
}

// SwitchState is what the switch says, since when, and who said so.
type SwitchState struct {
	On    bool      `json:"on"`
	Since time.Time `json:"since"`
	By    string    `json:"by"` // boot, socket, button, time
	// Paused says that the driver wants no more of this shift: the switch cannot be
	// turned on before the pause is lifted or the time of auto-off has passed.
	Paused bool `json:"paused,omitempty"`
	// Fault says why the driver could not turn the switch off if it were on: it
	// stays off while there is one.
	Fault string `json:"fault,omitempty"`
}

type switchState struct {
	SwitchState
	permit context.Context // ends when the switch goes off
	revoke context.CancelFunc
}

// NewSwitch returns a switch that is off. It turns itself off autoOff after it
// was turned on; 0 means never.
func NewSwitch(autoOff time.Duration, now time.Time) *Switch {
	s := &Switch{autoOff: autoOff, changed: make(chan struct{}, 1)}
	s.store(SwitchState{Since: now, By: "boot"})
	return s
}

// Set turns the switch on or off. Setting what is set already renews the time
// after which the switch turns itself off. A switch at fault or paused is not
// turned on: the error says what to do.
func (s *Switch) Set(on bool, by string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.current(now)
	switch {
	case on && st.Fault != "":
		return fmt.Errorf("the switch stays off: %s", st.Fault)
	case on && st.Paused:
		return errors.New("the driver has paused for the shift: hold the button again to lift that")
	}
	st.On, st.By, st.Since = on, by, now
	s.store(st)
	return nil
}

// Press is a short press of the driver's button: what is on goes off. What is off
// goes on, unless it is paused or at fault.
func (s *Switch) Press(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.current(now)
	if st.Fault != "" || st.Paused {
		return
	}
	st.On, st.By, st.Since = !st.On, "button", now
	s.store(st)
}

// Hold is a long press: the switch goes off for the rest of the shift, the time of
// auto-off, or until the next one.
func (s *Switch) Hold(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.current(now)
	st.On, st.Paused, st.By, st.Since = false, !st.Paused, "button", now
	s.store(st)
}

// Fault turns the switch off and keeps it off: whoever turned it on could not turn
// it off any more. An empty why ends the fault; the switch stays off.
func (s *Switch) Fault(why string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.current(now)
	if st.Fault == why {
		return
	}
	if st.On {
		st.On, st.By, st.Since = false, "button", now
	}
	st.Fault = why
	s.store(st)
}

// State returns what the switch says at the moment now, turning it off first
// where its time is over.
func (s *Switch) State(now time.Time) SwitchState {
	if st := s.state.Load(); !s.over(st.SwitchState, now) {
		return st.SwitchState
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current(now)
}

// On tells whether the switch is on.
func (s *Switch) On() bool { return s.State(time.Now()).On }

// Changed is ready after the switch was set. It has one reader.
func (s *Switch) Changed() <-chan struct{} { return s.changed }

// permit returns a context that ends as soon as the switch goes off, whoever is
// busy with what. Of a switch that is off it has ended.
func (s *Switch) permit() context.Context { return s.state.Load().permit }

// over tells whether the time of what the switch says is over.
func (s *Switch) over(st SwitchState, now time.Time) bool {
	return (st.On || st.Paused) && s.autoOff > 0 && now.Sub(st.Since) >= s.autoOff
}

// current is State, for who holds mu.
func (s *Switch) current(now time.Time) SwitchState {
	st := s.state.Load().SwitchState
	if s.over(st, now) {
		st.On, st.Paused, st.By, st.Since = false, false, "time", now
		s.store(st)
	}
	return st
}

// store puts a state in force, for who holds mu.
func (s *Switch) store(st SwitchState) {
	next := &switchState{SwitchState: st}
	last := s.state.Load()
	if st.On && last != nil && last.On {
		next.permit, next.revoke = last.permit, last.revoke
	} else {
		next.permit, next.revoke = context.WithCancel(context.Background())
	}
	if !st.On {
		next.revoke()
		if last != nil {
			last.revoke() // before anybody reads that it is off
		}
	}
	s.state.Store(next)
	select {
	case s.changed <- struct{}{}:
	default: // somebody will look already
	}
}
