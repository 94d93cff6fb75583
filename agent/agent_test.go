package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/uplink"
)

// street is a vehicle under test: it drives along the tests' street, and its
// camera counts what it is told.
type street struct {
	agent   *Agent
	outbox  *uplink.Outbox
	sight   *sight
	key     uplink.SigningKey
	camera  *countedCamera
	lost    atomic.Bool // the receiver gives no valid fix
	jump    atomic.Bool // its time jumps at every fix
	unplug  atomic.Bool // the camera fails
	version int
}

// countedCamera gives a frame every 100 ms while it streams.
type countedCamera struct {
	street         *street
	streaming      atomic.Bool
	opened, starts atomic.Int64
}

func (c *countedCamera) Start(context.Context) error {
	c.starts.Add(1)
	c.streaming.Store(true)
	return nil
}

func (c *countedCamera) Next(ctx context.Context) (*capture.Frame, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(100 * time.Millisecond):
	}
	if c.street.unplug.Load() {
		return nil, errors.New("no such device")
	}
	f := frameAt(0)
	f.At = time.Now()
	return f, nil
}

func (c *countedCamera) Stop() error  { c.streaming.Store(false); return nil }
func (c *countedCamera) Close() error { return c.Stop() }

// fixes is the receiver: a fix a second, moving at 5 m/s.
func (s *street) fixes(ctx context.Context, emit func(gps.Fix)) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f := fixAt(0, 100+5*now.Sub(began).Seconds())
			f.At, f.Time, f.Valid = now, now.UTC(), !s.lost.Load()
			if s.jump.Load() {
				f.Time = f.Time.Add(time.Duration(1+now.Second()%2) * time.Hour)
			}
			emit(f)
		}
	}
}

// newStreet makes a vehicle without orders; its clock says began.
func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{sight: newSight()}
	s.camera = &countedCamera{street: s}
	s.sight.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	dir := t.TempDir()
	var err error
	if s.outbox, _, err = uplink.OpenOutbox(filepath.Join(dir, "outbox"), uplink.OutboxConfig{Seal: sealer(t)}); err != nil {
		t.Fatal(err)
	}
	if s.key, err = uplink.NewKey(); err != nil {
		t.Fatal(err)
	}
	v := uplink.Verifier{Keys: []uplink.PublicKey{s.key.Public()}, Fleet: "test", Vehicle: "sweeper-07"}
	store, err := uplink.OpenOrdersStore(filepath.Join(dir, "orders"), v)
	if err != nil {
		t.Fatal(err)
	}
	commands, err := uplink.OpenCommandStore(filepath.Join(dir, "commands"), v)
	if err != nil {
		t.Fatal(err)
	}
	s.agent, err = New(Config{
		Fleet: "test", Vehicle: "sweeper-07", Version: "test", Models: s.sight.models(),
		Masks:  []Mask{{0, 0.9, 1, 1}},
		Switch: NewSwitch(5*time.Minute, time.Now()), Outbox: s.outbox, GPS: s.fixes,
		Camera:   func() (capture.Camera, error) { s.camera.opened.Add(1); return s.camera, nil },
		Verifier: v, Store: store, Commands: commands, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealer has fresh keys of a vehicle and of a case office.
func sealer(t testing.TB) *uplink.Sealer {
	t.Helper()
	key, err := uplink.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	_, recipient, err := uplink.NewIdentity(true)
	if err != nil {
		t.Fatal(err)
	}
	to, err := uplink.ParseRecipients(recipient)
	if err != nil {
		t.Fatal(err)
	}
	s, err := uplink.NewSealer(uplink.SealConfig{Signer: key, Recipients: to})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// order signs and applies orders of the tests' street; they hold in the year
// 2000, where the clock of a synctest bubble starts.
func (s *street) order(t *testing.T, tasks ...map[string]any) uplink.OrdersReport {
	t.Helper()
	s.version++
	envelope, err := uplink.SignOrders(dated(document(tasks...), s.version), s.key)
	if err != nil {
		t.Fatal(err)
	}
	return s.agent.Apply(envelope)
}

// run runs the agent in a bubble of fake time, lets script act, and stops it.
func run(t *testing.T, script func(t *testing.T, s *street)) {
	t.Helper()
	runWith(t, func(*Config) {}, script)
}

// runWith is run, with an agent whose configuration is adjusted before it starts.
func runWith(t *testing.T, adjust func(*Config), script func(t *testing.T, s *street)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		adjust(&s.agent.cfg)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.agent.Run(ctx) }()
		defer s.stopped(t, cancel, done)
		script(t, s)
	})
}

// stopped stops the agent and checks that it leaves nothing behind.
func (s *street) stopped(t *testing.T, cancel func(), done <-chan error) {
	t.Helper()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if s.camera.streaming.Load() {
		t.Error("the camera streams after the agent's end")
	}
	if err := s.outbox.Close(); err != nil {
		t.Error(err)
	}
}

// after lets the vehicle drive on.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *street) want(t *testing.T, state uplink.State, reason string) {
	t.Helper()
	if got := s.agent.Status(); got.State != state || got.Reason != reason {
		t.Errorf("state %s (%s), want %s (%s)", got.State, got.Reason, state, reason)
	}
	if got, want := s.camera.streaming.Load(), state == uplink.Capturing; got != want {
		t.Errorf("streaming = %t in state %s", got, state)
	}
}

func (s *street) on()  { s.set(true) }
func (s *street) off() { s.set(false) }

func (s *street) set(on bool) {
	if err := s.agent.Switch().Set(on, "test", time.Now()); err != nil {
		panic(err)
	}
}

func TestAgentLooksOnlyWhenAllSayYes(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		after(10 * time.Second)
		s.want(t, uplink.Off, "switch_off")
		s.on()
		after(time.Second)
		s.want(t, uplink.Degraded, "no_orders")
		if r := s.order(t, task("bins", nil)); !r.Accepted {
			t.Fatalf("orders refused: %v", r.Errors)
		}
		after(10 * time.Second)
		s.want(t, uplink.Capturing, "open")
		s.lost.Store(true)
		after(2 * time.Second)
		s.want(t, uplink.NoFix, "no_fix")
		s.lost.Store(false)
		after(10 * time.Second)
		s.want(t, uplink.Capturing, "open")
		s.off()
		after(200 * time.Millisecond)
		s.want(t, uplink.Off, "switch_off")
		if n := s.outbox.Len(); n != 2 {
			t.Errorf("%d observations, want one for each of two passes", n)
		}
		if n := s.camera.opened.Load(); n != 1 {
			t.Errorf("camera opened %d times, want once", n)
		}
	})
}

func TestTheSwitchTurnsItselfOff(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		s.on()
		after(20 * time.Second)
		s.want(t, uplink.Capturing, "open")
		after(5 * time.Minute)
		s.want(t, uplink.Off, "switch_off")
		if by := s.agent.Switch().State(time.Now()).By; by != "time" {
			t.Errorf("switched off by %q, want time", by)
		}
	})
}

func TestACameraThatFailsComesBack(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		s.on()
		after(20 * time.Second)
		s.unplug.Store(true)
		after(time.Second)
		if st := s.agent.Status(); st.State != uplink.Degraded || st.Reason != "no such device" {
			t.Errorf("state %s (%s), want degraded (no such device)", st.State, st.Reason)
		}
		s.unplug.Store(false)
		after(time.Minute)
		s.want(t, uplink.Capturing, "open")
	})
}

func TestOnlyGoodOrdersReplaceOrders(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		s.version = 4
		if r := s.order(t, task("bins", nil)); !r.Accepted || r.Version != 5 {
			t.Fatalf("version 5: %+v", r)
		}
		s.on()
		after(20 * time.Second)
		other, err := uplink.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		forged, err := uplink.SignOrders(dated(document(task("more", nil)), 9), other)
		if err != nil {
			t.Fatal(err)
		}
		older, err := uplink.SignOrders(dated(document(task("old", nil)), 4), s.key)
		if err != nil {
			t.Fatal(err)
		}
		bad, err := uplink.SignOrders(dated(document(task("odd", map[string]any{"labels": []string{"boat"}})), 6), s.key)
		if err != nil {
			t.Fatal(err)
		}
		for name, envelope := range map[string][]byte{"forged": forged, "older": older, "bad": bad, "garbage": []byte("{")} {
			r := s.agent.Apply(envelope)
			if r.Accepted || r.Version != 5 || len(r.Errors) == 0 {
				t.Errorf("%s: %+v, want a refusal that names version 5 in force", name, r)
			}
		}
		after(time.Second)
		s.want(t, uplink.Capturing, "open")
		if r := s.order(t, task("new", nil)); !r.Accepted || r.Version != 6 {
			t.Errorf("version 6: %+v", r)
		}
		after(100 * time.Millisecond)
		if st := s.agent.Status(); st.State == uplink.Capturing {
			t.Error("the gate stays open under new orders")
		}
		after(10 * time.Second)
		s.want(t, uplink.Capturing, "open")
	})
}

func TestAFullOutboxClosesTheGate(t *testing.T) {
	runWith(t, func(c *Config) { c.HighWater = 1e-9 }, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		s.on()
		after(20 * time.Second)
		s.want(t, uplink.Capturing, "open")
		s.off() // ends the pass: one observation is stored
		after(time.Second)
		s.on()
		after(20 * time.Second)
		if st := s.agent.Status(); st.State != uplink.Degraded {
			t.Errorf("state %s (%s), want degraded", st.State, st.Reason)
		}
		if s.camera.streaming.Load() {
			t.Error("the camera streams though nothing more can be stored")
		}
	})
}

// TestWhatWaitsExpiresByTrustedTime: without a fix nothing is deleted, whatever the
// system's clock says; with one, what is past its time is, and the status counts it.
func TestWhatWaitsExpiresByTrustedTime(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		s.lost.Store(true)
		old := uplink.Observation{
			ID: uplink.NewID("sweeper-07", "bins", time.Now(), 1), Vehicle: "sweeper-07", Task: "bins", OrdersVersion: 1, Purpose: "p",
			Kind: uplink.Clear, Time: uplink.Time{UTC: time.Now(), Source: "gps"},
			Position: uplink.Position{Lat: streetLat, Lon: streetLon}, Zone: "street", Agent: "test",
			ExpiresAt: time.Now().Add(time.Minute),
		}
		if err := s.outbox.Put(old, nil, uplink.Terms{Day: "d"}); err != nil {
			t.Fatal(err)
		}
		after(3 * upkeepEvery)
		if n := s.outbox.Len(); n != 1 {
			t.Errorf("%d wait without a trusted time, want 1", n)
		}
		s.lost.Store(false)
		after(2 * upkeepEvery)
		if n := s.outbox.Len(); n != 0 || s.agent.Status().Counters["outbox_expired"] != 1 {
			t.Errorf("%d wait, %d have expired; want 0 and 1", n, s.agent.Status().Counters["outbox_expired"])
		}
	})
}

// TestTrustInTheClockMayEndBeforeThePass: an observation says whence the time of its look
// is, also when the clock is not trusted any more at the moment its pass ends. Else the
// outbox refuses it, and all that comes after waits behind it.
func TestTrustInTheClockMayEndBeforeThePass(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		s.order(t, task("bins", nil))
		s.on()
		s.streams(t)
		after(3 * time.Second)
		s.jump.Store(true)
		after(3 * time.Second)
		if st := s.agent.Status(); st.State != uplink.NoFix {
			t.Errorf("state %s (%s), want no_fix", st.State, st.Reason)
		}
		if n := s.outbox.Len(); n != 1 || s.agent.lost.Load() != 0 {
			t.Errorf("%d observations stored, %d lost; want one and none", n, s.agent.lost.Load())
		}
	})
}

// The first trusted time is new hope for a broker whose certificate was not good yet by
// the clock of a board that woke up in 1970; that time goes on is not.
func TestTheFirstTrustedTimeWakesTheUplink(t *testing.T) {
	run(t, func(t *testing.T, s *street) {
		if n := len(s.agent.hope); n != 0 {
			t.Errorf("woken before there is a time: %d", n)
		}
		after(5 * time.Second)
		if s.agent.trusted.Load() == nil {
			t.Fatal("no time is trusted after five seconds of fixes")
		}
		select {
		case <-s.agent.hope:
		default:
			t.Error("the first trusted time wakes nobody")
		}
		after(5 * time.Second)
		if n := len(s.agent.hope); n != 0 {
			t.Errorf("woken again: %d", n)
		}
	})
}

// What the outbox refuses closes the gate, and the reason says why it does.
func TestTheReasonSaysWhyObservationsWait(t *testing.T) {
	s := newStreet(t)
	a := s.agent
	a.pending = []Product{{}, {}}
	a.flush()
	err := a.storageErr()
	if err == nil || !strings.HasPrefix(err.Error(), "2 observations wait for the outbox: put into outbox: ") {
		t.Errorf("got %v", err)
	}
	a.pending = nil
	a.flush()
	if err := errors.Join(a.storageErr(), a.refusal, s.outbox.Close()); err != nil {
		t.Error(err)
	}
}
