package uplink

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// vehicleWith runs a link that obeys the commander's commands and says so in its
// status, as an agent does.
func vehicleWith(t *testing.T, c *commander, broker *testBroker, trusted func() time.Time) *Link {
	t.Helper()
	box, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	var answer atomic.Pointer[CommandReport]
	changed := make(chan struct{}, 1)
	l := newTestLink(t, LinkConfig{
		Broker: broker.url, Outbox: box, StatusChanged: changed,
		Status: func() Status { return Status{State: Armed, Paused: c.store.Paused(), Command: answer.Load()} },
		OnCommand: func(payload []byte) bool {
			r := c.store.Take(payload, trusted())
			answer.Store(&r)
			changed <- struct{}{}
			return r.Accepted
		},
	})
	running(t, l.Run)
	waitFor(t, "the connection", func() bool { return broker.retained(testPrefix+"status") != "" })
	return l
}

func TestCommandsOverABroker(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	c := newCommander(t)
	kept := c.signed(order(Pause))
	if err := inject(broker, testPrefix+"commands", kept, true); err != nil {
		t.Fatal(err)
	}
	l := vehicleWith(t, c, broker, func() time.Time { return noon })
	waitFor(t, "the retained command to be passed over", func() bool { return l.Stats().RetainedIgnored == 1 })

	admin := LinkConfig{Broker: broker.url, Fleet: "cph", Vehicle: "sweeper-7"}
	pause := c.signed(order(Pause))
	for _, tt := range []struct {
		envelope []byte
		accepted bool
		reason   string
	}{
		{pause, true, ""},
		{pause, false, "it was received before"},
		{[]byte("{}"), false, "payloadType"},
	} {
		s, err := SendCommand(t.Context(), admin, tt.envelope)
		if err != nil || s.Command.Accepted != tt.accepted || !strings.Contains(s.Command.Reason, tt.reason) || !s.Paused {
			t.Fatalf("got %+v, %+v, %v", s, s.Command, err)
		}
	}
	if err := inject(broker, testPrefix+"commands", make([]byte, maxCommand+1), false); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the large one", func() bool { return l.Stats().CommandsRefused == 3 })
	if got := l.Stats(); got.CommandsReceived != 4 || got.CommandsObeyed != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestACommandToNobodyIsNotHeard(t *testing.T) {
	broker := newBroker(t)
	c := newCommander(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := SendCommand(ctx, LinkConfig{Broker: broker.url, Fleet: "cph", Vehicle: "sweeper-7"}, c.signed(order(Pause)))
	if !errors.Is(err, ErrNotHeard) {
		t.Errorf("got %v, want %v", err, ErrNotHeard)
	}
	if kept := broker.retained(testPrefix + "commands"); kept != "" {
		t.Errorf("the broker keeps a command: %s", kept)
	}
}

// More commands than there is room for are refused, not remembered.
func TestAFloodOfCommandsIsBounded(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	box, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	slow, began := make(chan struct{}), make(chan struct{}, 100)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: box, OnCommand: func([]byte) bool {
		began <- struct{}{}
		<-slow
		return false
	}})
	running(t, l.Run)
	waitFor(t, "the connection", l.Connected)
	for i := range 30 {
		if err := inject(broker, testPrefix+"commands", []byte("{}"), false); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-began
		}
	}
	waitFor(t, "the flood", func() bool { return l.Stats().CommandsReceived == 30 })
	if got := l.Stats().CommandsRefused; got != 30-1-maxCommandsWaiting {
		t.Errorf("%d are refused unread, want all but one and the %d that wait", got, maxCommandsWaiting)
	}
	close(slow)
}
