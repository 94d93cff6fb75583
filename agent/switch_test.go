package agent

import (
	"context"
	"testing"
	"time"

	"gadeblik/inference"
	"gadeblik/uplink"
)

func TestSwitch(t *testing.T) {
	now := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	s := NewSwitch(10*time.Hour, now)
	want := func(what string, on, paused bool, fault string) {
		t.Helper()
		st := s.State(now)
		if st.On != on || st.Paused != paused || st.Fault != fault {
			t.Errorf("%s: %+v, want on %t, paused %t, fault %q", what, st, on, paused, fault)
		}
		if ended := s.permit().Err() != nil; ended == on {
			t.Errorf("%s: the permit has ended: %t", what, ended)
		}
	}
	want("at the start", false, false, "")
	s.Press(now)
	want("pressed", true, false, "")
	permit := s.permit()
	if err := s.Set(true, "socket", now); err != nil || permit.Err() != nil {
		t.Errorf("set what is set: %v, the permit: %v", err, permit.Err())
	}
	s.Press(now)
	want("pressed again", false, false, "")
	if permit.Err() == nil {
		t.Error("the permit outlives the switch")
	}
	s.Press(now)
	s.Hold(now)
	want("held", false, true, "")
	s.Press(now)
	want("pressed while paused", false, true, "")
	if err := s.Set(true, "socket", now); err == nil {
		t.Error("the socket overrides the driver's pause")
	}
	s.Hold(now)
	want("held again", false, false, "")
	s.Hold(now)
	now = now.Add(10 * time.Hour)
	want("a shift later", false, false, "")
	s.Press(now)
	s.Fault("button gone", now)
	want("at fault", false, false, "button gone")
	s.Press(now)
	if err := s.Set(true, "socket", now); err == nil || err.Error() != "the switch stays off: button gone" {
		t.Errorf("set on at fault: %v", err)
	}
	if err := s.Set(false, "socket", now); err != nil {
		t.Errorf("set off at fault: %v", err)
	}
	want("pressed at fault", false, false, "button gone")
	s.Fault("", now)
	want("mended", false, false, "")
	if err := s.Set(true, "socket", now); err != nil {
		t.Error(err)
	}
	want("on again", true, false, "")
	now = now.Add(10 * time.Hour)
	want("when its time is over", false, false, "")
}

// slow is a model that takes its time, unless it is told to end and listens.
type slow struct {
	*scripted
	takes time.Duration
	deaf  bool
}

func (s slow) Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	told := ctx.Done()
	if s.deaf {
		told = nil
	}
	select {
	case <-time.After(s.takes):
	case <-told:
		return dst, ctx.Err()
	}
	return s.scripted.Detect(ctx, v, dst)
}

// streams waits until the camera streams.
func (s *street) streams(t *testing.T) {
	t.Helper()
	for range 600 {
		if s.camera.streaming.Load() {
			return
		}
		after(100 * time.Millisecond)
	}
	t.Fatalf("the camera does not stream: %+v", s.agent.Status())
}

// TestOffIsNowAlsoDuringALook: within 200 ms of the driver's word the camera streams
// nothing and nothing of a frame is in memory, though the models would take seconds;
// and no model is blamed.
func TestOffIsNowAlsoDuringALook(t *testing.T) {
	runWith(t, func(c *Config) {
		c.Models.Timeout = 10 * time.Second
		c.Models.Detectors["looker"] = slow{c.Models.Detectors["looker"].(*scripted), 3 * time.Second, false}
	}, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		for range maxFailures + 1 {
			s.on()
			s.streams(t)
			after(1500 * time.Millisecond) // in the middle of a look
			s.agent.Switch().Press(time.Now())
			after(200 * time.Millisecond)
			s.want(t, uplink.Off, "switch_off")
			if s.agent.pipe.window.newest != nil || s.agent.slot.TryTake() != nil {
				t.Fatal("a frame is still in memory")
			}
		}
		c := s.agent.pipe.Counters()
		if c.Withdrawn == 0 || c.Failed != 0 || c.Looked != 0 {
			t.Errorf("%d looks withdrawn, %d failed, %d done; want some, none, none", c.Withdrawn, c.Failed, c.Looked)
		}
	})
}

// TestOffStopsTheCameraWhateverAModelDoes: a model that does not end when told to holds
// up the look, not the camera.
func TestOffStopsTheCameraWhateverAModelDoes(t *testing.T) {
	runWith(t, func(c *Config) {
		c.Models.Detectors["looker"] = slow{c.Models.Detectors["looker"].(*scripted), 3 * time.Second, true}
	}, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		s.on()
		s.streams(t)
		after(1500 * time.Millisecond)
		s.off()
		after(200 * time.Millisecond)
		if s.camera.streaming.Load() || s.agent.slot.TryTake() != nil {
			t.Error("the camera streams, or a frame waits")
		}
		after(5 * time.Second)
		s.want(t, uplink.Off, "switch_off")
		if s.agent.pipe.window.newest != nil {
			t.Error("a frame is still in memory")
		}
	})
}
