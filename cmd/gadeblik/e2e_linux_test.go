package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gadeblik/uplink"
)

// TestEndToEnd runs the daemon as a vehicle would: a real broker, the models that
// are built in, and a track on a pseudo-terminal. Meanwhile the broker
// is killed, and the agent is killed twice. At the end, everything that the outbox
// ever accepted must have arrived.
//
// What was accepted is not asked of the agent, whose word is on trial. The outbox
// renames one file into its folder for each observation that it accepts; a
// [witness] sees each rename and keeps a second link to the file, which outlives
// what the agent does to its own.
//
// With E2E=long in the environment the track is played as slowly as it was driven
// and the broker stays away for a minute; that takes about five minutes.
func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	p := pace{every: 250 * time.Millisecond, outage: 8 * time.Second, more: 2, patience: 90 * time.Second}
	if os.Getenv("E2E") == "long" {
		p = pace{every: time.Second, outage: time.Minute, more: 12, patience: 6 * time.Minute}
	}
	r := newRig(t, p)
	r.startBroker()
	r.startOffice()
	r.startAgent()

	step(t, "opens by orders and switch only", func() { opensByOrdersAndSwitch(r) })
	step(t, "refuses a wrong key and an older version", func() { refusesOthers(r) })
	step(t, "closes and opens by orders", func() { closesByOrders(r) })
	step(t, "pauses and resumes by command", func() { obeysCommands(r) })
	step(t, "broker killed, agent killed meanwhile", func() { survivesBroker(r) })
	step(t, "agent killed while connected", func() { survivesKill(r) })
	step(t, "SIGTERM drains", func() { drains(r) })
	step(t, "nothing lost", func() { nothingLost(r) })
	step(t, "no frame on disk", func() { noFrame(r) })
}

// step runs one part; the parts build on each other, so the first failure is the
// last part.
func step(t *testing.T, name string, part func()) {
	t.Helper()
	begin := time.Now()
	part()
	t.Logf("%-45s %s", name, time.Since(begin).Round(100*time.Millisecond))
	if t.Failed() {
		t.FailNow()
	}
}

func opensByOrdersAndSwitch(r *rig) {
	r.until("the state off", func() bool { return r.spy.status().State == uplink.Off })
	// The switch without orders: the vehicle is inside what will be a zone.
	r.must(`switch on since .* \(by socket\)\n`, "switch", "on", "--socket", r.socket)
	r.until("a gate closed for want of orders", func() bool { return r.counter("gate_no_orders") >= 8 })
	r.is("frames without orders", r.counter("frames"), 0)
	if s := r.condition().Status; s.State != uplink.Degraded || s.Reason != "no_orders" {
		r.t.Errorf("without orders: %s, %s; want degraded, no_orders", s.State, s.Reason)
	}
	r.must(`switch off since `, "switch", "off", "--socket", r.socket)

	// Orders without the switch.
	r.must("^"+vehicleName+": version 5 is in force\n$", "orders", "push", r.signed(5, "fleet", r.zones), "--broker", r.address)
	before := r.counter("gate_switch_off")
	r.until("a gate closed by the switch", func() bool { return r.counter("gate_switch_off") >= before+8 })
	r.is("frames without the switch", r.counter("frames"), 0)
	r.is("observations without the switch", uint64(len(r.witness.ids())), 0)

	r.switchOn()
	r.until("the state capturing", func() bool { return r.spy.was(uplink.Capturing) })
	r.accept(1)
	r.until("an observation in the inbox", func() bool { return r.stored() > 0 })
}

func refusesOthers(r *rig) {
	refused := func(why, orders string) {
		r.t.Helper()
		out, code := r.gadeblik("orders", "push", orders, "--broker", r.address)
		if code != exitFailure || !strings.Contains(out, why) {
			r.t.Errorf("exit code %d, %q; want 1 and %q", code, out, why)
		}
		r.until("a report of the refusal", func() bool {
			a := r.spy.report()
			return !a.Accepted && a.Version == 5 && strings.Contains(strings.Join(a.Errors, "\n"), why)
		})
	}
	refused("signed by 0 of the trusted keys, 1 needed", r.signed(6, "stranger", r.zones))
	refused("orders version 4 is not newer than 5 in force", r.signed(4, "fleet", r.zones))
	r.is("orders in force", r.condition().Status.OrdersVersion, 5)
}

func closesByOrders(r *rig) {
	r.must("version 6 is in force", "orders", "push", r.signed(6, "fleet", elsewhere), "--broker", r.address)
	before := r.counter("gate_outside")
	r.until("a gate closed by new orders", func() bool { return r.counter("gate_outside") >= before+4 })
	frames := r.counter("frames")
	r.until("more fixes outside", func() bool { return r.counter("gate_outside") >= before+12 })
	r.is("frames outside of the new zones", r.counter("frames"), frames)

	r.must("version 7 is in force", "orders", "push", r.signed(7, "fleet", r.zones), "--broker", r.address)
	r.until("a gate opened by new orders", func() bool { return r.counter("frames") > frames })
}

// obeysCommands pauses the vehicle over the broker and lets it go on. A command with
// another's key, and one that the broker has kept, change nothing.
func obeysCommands(r *rig) {
	say := func(want string, code int, action, key string) {
		r.t.Helper()
		out, got := r.gadeblik("command", action, "--key", filepath.Join(r.dir, key+".key"), "--fleet", fleetName, "--vehicle", vehicleName, "--broker", r.address)
		if got != code || !strings.Contains(out, want) {
			r.t.Errorf("command %s: exit code %d, %q; want %d and %q", action, got, out, code, want)
		}
	}
	say("signed by 0 of the trusted keys", exitFailure, "pause", "stranger")
	say(vehicleName, exitOK, "pause", "fleet")
	r.until("a gate closed by a command", func() bool { return r.counter("gate_paused") > 0 && r.condition().Status.Paused })
	frames, before := r.counter("frames"), r.counter("gate_paused")
	r.until("more decisions while paused", func() bool { return r.counter("gate_paused") >= before+8 })
	r.is("frames while paused", r.counter("frames"), frames)
	say(vehicleName, exitOK, "resume", "fleet")
	r.until("frames after the pause", func() bool { return r.counter("frames") > frames })
}

// survivesBroker begins with a case office that is not there: the broker takes
// what it has nobody for, says so, and then dies with it. Whoever deletes on the
// broker's word alone has lost it.
func survivesBroker(r *rig) {
	r.closeInbox()
	published := len(r.published())
	r.until("observations that only the broker has", func() bool { return len(r.published()) >= published+r.pace.more })
	r.broker.kill()
	down := time.Now()
	r.accept(r.pace.more)
	r.agent.kill()
	r.audit("first kill, broker down")

	r.startAgent()
	if c := r.condition(); c.Switch.On || c.Switch.By != "boot" {
		r.t.Errorf("after a restart the switch is %+v, want off by boot", c.Switch)
	}
	r.is("orders in force after a restart", r.condition().Status.OrdersVersion, 7)
	r.switchOn()
	r.accept(r.pace.more)
	time.Sleep(time.Until(down.Add(r.pace.outage)))

	arrived := r.stored()
	r.startBroker()
	r.openInbox()
	r.until("the backlog in the inbox", func() bool { return r.stored() >= arrived+3*r.pace.more })
}

// published returns the observations that passed the broker.
func (r *rig) published() map[string]int { return r.spy.sent("/observations/") }

func survivesKill(r *rig) {
	r.accept(r.pace.more)
	r.agent.kill()
	r.until("the last will", func() bool { return r.retainedState() == uplink.Offline })
	r.audit("second kill, broker up")
	r.startAgent()
	r.switchOn()
	r.accept(r.pace.more)
}

func drains(r *rig) {
	r.until("an empty outbox while capturing", func() bool {
		s := r.condition().Status
		return s.State == uplink.Capturing && s.Counters["outbox_waiting"] == 0 && s.Counters["uplink_connected"] == 1 && s.Counters["uplink_connects"] > 0
	})
	if code := r.agent.stop(time.Minute); code != exitOK {
		r.t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if s := r.retainedState(); s != uplink.Stopped {
		r.t.Errorf("retained state %q, want stopped", s)
	}
	if left := r.outbox(); len(left) != 0 {
		r.t.Errorf("%d observations left in the outbox, want all delivered: %v", len(left), left)
	}
}

func nothingLost(r *rig) {
	accepted := r.witness.ids()
	lost := 0
	for id := range accepted {
		if r.inboxJSON(id) == "" {
			lost++
			r.t.Errorf("observation %s was accepted and has not arrived", id)
		}
	}
	if n := r.stored(); n != len(accepted) {
		r.t.Errorf("%d observations are stored, %d were accepted", n, len(accepted))
	}
	if r.pictures() == 0 {
		r.t.Error("no picture arrived: the test proves little")
	}
	same := r.compareContents()
	for topic, contents := range r.spy.sent("/observations/", "/evidence/") {
		if contents > 1 {
			r.t.Errorf("%s carried %d different contents, want one", topic, contents)
		}
	}
	if s := r.inbox.Stats(); s.Refused+s.Foreign > 0 {
		r.t.Errorf("the inbox refused %d and did not understand %d, want none", s.Refused, s.Foreign)
	}
	for _, word := range []string{"DATA RACE", "panic", "level=ERROR"} {
		if n := strings.Count(r.agentLog(), word); n > 0 {
			r.t.Errorf("the agent's log has %d times %s", n, word)
		}
	}
	r.t.Logf("%d accepted, %d lost, %d compared byte by byte with what was accepted; inbox %+v", len(accepted), lost, same, r.inbox.Stats())
}

// noFrame searches all that was written: the agent's state and temporary files,
// every item that ever was in the outbox, the inbox and the logs.
func noFrame(r *rig) {
	tr := tracesOf(r.t, r.drive)
	for _, sub := range []string{"state", "tmp", "witnessed", "inbox", "log"} {
		files := tr.folder(r.t, filepath.Join(r.dir, sub))
		r.t.Logf("%s: %d files searched for %d frames", sub, files, tr.frames)
	}
	if names := r.witness.temporary(); len(names) > 0 {
		r.t.Errorf("the agent made temporary files: %v", names)
	}
}

// TestStopBeforeStart asks an agent to stop that has no broker, no GPS and
// nothing to say: it must not wait for any of them.
func TestStopBeforeStart(t *testing.T) {
	r := newRig(t, pace{every: time.Hour, patience: 30 * time.Second})
	r.startAgent()
	begin := time.Now()
	if code := r.agent.signal(syscall.SIGINT, 20*time.Second); code != exitOK {
		t.Errorf("exit code %d after SIGINT, want 0\n%s", code, r.agentLog())
	}
	t.Logf("stopped after %s", time.Since(begin).Round(time.Millisecond))
}
