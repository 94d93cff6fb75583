package agent

import (
	"strings"
	"testing"
	"time"

	"gadeblik/uplink"
)

// command signs a command of this moment.
func (s *street) command(t *testing.T, a uplink.Action) []byte {
	t.Helper()
	envelope, err := uplink.SignCommand(uplink.NewCommand(a, "test", []string{"*"}, time.Now(), time.Minute), s.key)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

func TestACommandPausesWithinATurn(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		pause := s.command(t, uplink.Pause)
		if s.agent.Command(pause) {
			t.Error("obeys a command before there is trusted time")
		}
		after(turn)
		if r := s.agent.Status().Command; r == nil || r.Accepted || !strings.Contains(r.Reason, "no trusted time") {
			t.Errorf("the status says %+v of it", r)
		}
		s.order(t, task("bins", nil))
		s.on()
		after(20 * time.Second)
		s.want(t, uplink.Capturing, "open")

		if !s.agent.Command(pause) {
			t.Fatalf("refused: %s", s.agent.answer.Load().Reason)
		}
		after(turn)
		s.want(t, uplink.Armed, "paused")
		if st := s.agent.Status(); !st.Paused || st.Command == nil || !st.Command.Accepted || st.Command.Action != uplink.Pause {
			t.Errorf("the status is %+v, %+v", st, st.Command)
		}
		s.off() // the switch comes first, but the pause shows
		after(turn)
		s.want(t, uplink.Off, "switch_off")
		if !s.agent.Status().Paused {
			t.Error("the status of a vehicle that is off does not show that it is paused")
		}
		s.on()
		after(20 * time.Second)
		s.want(t, uplink.Armed, "paused")

		resume := s.command(t, uplink.Resume)
		if !s.agent.Command(resume) {
			t.Fatalf("refused: %s", s.agent.answer.Load().Reason)
		}
		after(10 * time.Second)
		s.want(t, uplink.Capturing, "open")
		if s.agent.Command(resume) || s.agent.Command(pause) {
			t.Error("obeys a command twice")
		}
		after(time.Second)
		s.want(t, uplink.Capturing, "open")
	})
}

// A status that was asked for is news, though nothing else is.
func TestSendStatusIsPublishedAtOnce(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		after(10 * time.Second)
		for len(s.agent.statusChanged) > 0 {
			<-s.agent.statusChanged
		}
		after(10 * time.Second)
		if len(s.agent.statusChanged) > 0 {
			t.Fatal("the status is news by itself")
		}
		if !s.agent.Command(s.command(t, uplink.SendStatus)) {
			t.Fatalf("refused: %s", s.agent.answer.Load().Reason)
		}
		after(0)
		if len(s.agent.statusChanged) == 0 {
			t.Error("the status is not published")
		}
		if age := time.Since(s.agent.Status().Time); age > turn {
			t.Errorf("the status is %s old", age)
		}
	})
}
