package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gadeblik/uplink"
)

const (
	fleetName   = "e2e"
	vehicleName = "sweeper-01"
)

// pace says how fast the test goes.
type pace struct {
	every    time.Duration // from fix to fix; the track has one a second
	outage   time.Duration // of the broker
	more     int           // observations to wait for in each part
	patience time.Duration // for anything
}

// rig is a vehicle, its broker and its case office in one folder.
type rig struct {
	t    *testing.T
	pace pace
	dir  string
	lib  string // ONNX Runtime

	drive, config, socket, address string
	zones                          string // GeoJSON features along the track
	mosquitto                      string

	program    []string // that startAgent starts
	context    string   // of the evidence that the orders ask for
	persistent bool     // the broker keeps on disk what it has not passed on

	broker, agent *process
	witness       *witness
	spy           *spy
	inbox         *uplink.Inbox
	office        uplink.Opener
	closeInbox    func()

	mu      sync.Mutex                 // guards arrived: the inbox tells from its own goroutine
	arrived map[string]uplink.Delivery // by parcel
}

func newRig(t *testing.T, p pace) *rig {
	t.Helper()
	root := repository(t)
	// Not t.TempDir: its path may be too long for a socket.
	dir, err := os.MkdirTemp("", "gadeblik-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{
		t: t, pace: p, dir: dir, lib: needs(t),
		drive: filepath.Join(dir, "drive"), config: filepath.Join(dir, "gadeblik.yaml"), socket: filepath.Join(dir, "control.sock"),
		program: []string{"gadeblik"}, context: "coarse",
		mosquitto: findMosquitto(t), arrived: map[string]uplink.Delivery{},
	}
	for _, sub := range []string{"state/outbox/items", "tmp", "witnessed", "inbox", "log", "broker"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.address = "tcp://" + freeAddress(t)
	r.camera(filepath.Join(root, "testdata", "drives", "demo"))
	track := trackOf(t, filepath.Join(shared(root), "nmea", "lege_track_1.nmea"))
	r.zones = zonesAlong(track)
	device := playTrack(t, track, p.every)
	r.witness = newWitness(t, filepath.Join(dir, "state", "outbox", "items"), filepath.Join(dir, "witnessed"), filepath.Join(dir, "tmp"))
	for _, key := range []string{"fleet", "stranger"} {
		r.must("", "keys", "new", filepath.Join(dir, key+".key"))
	}
	r.must("", "keys", "new", "--age", filepath.Join(dir, "office.age"))
	ids, err := uplink.ReadIdentities(filepath.Join(dir, "office.age"))
	if err != nil {
		t.Fatal(err)
	}
	r.office = uplink.Opener{Identities: ids, SealedOnly: true, Keys: r.vehicleKeys}
	r.configure(device)
	return r
}

func findMosquitto(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no mosquitto here: install the package of that name to run against a real broker")
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// camera makes the drive that stands in for one: five pictures a second, each with
// what cameras write beside the picture.
func (r *rig) camera(from string) {
	r.t.Helper()
	markedDrive(r.t, from, r.drive, 60)
	frames := filepath.Join(r.drive, "frames")
	names, err := filepath.Glob(filepath.Join(frames, "*.jpg"))
	if err != nil {
		r.t.Fatal(err)
	}
	for i, name := range names {
		if err := os.Rename(name, filepath.Join(frames, fmt.Sprintf("%09d.jpg", i*200))); err != nil {
			r.t.Fatal(err)
		}
	}
}

// configure writes the vehicle's configuration; its models are those that are built
// in. The machine that runs the tests may be far slower than a vehicle's: hence the
// patience with models and fixes.
func (r *rig) configure(device string) {
	r.t.Helper()
	text := fmt.Sprintf(`vehicle: {id: %s, fleet: %s}
state_dir: %s
gps: {device: %s}
camera: {drive: %s}
models: {onnxruntime: %s, timeout: 30s}
gate: {max_fix_age: 5s}
orders: {trusted_keys: [%s]}
switch: {socket: %s}
seal: {recipients: [%s]}
mqtt: {broker: '%s', keep_alive: 5s, drain_timeout: 40s}
`, vehicleName, fleetName, filepath.Join(r.dir, "state"), device, r.drive, r.lib,
		filepath.Join(r.dir, "fleet.key.pub"), r.socket, filepath.Join(r.dir, "office.age.pub"), r.address)
	if err := os.WriteFile(r.config, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// configured adds a section to the vehicle's configuration.
func (r *rig) configured(section string) {
	r.t.Helper()
	raw, err := os.ReadFile(r.config)
	if err == nil {
		err = os.WriteFile(r.config, append(raw, section...), 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// startBroker starts mosquitto as Debian ships it; unless it is persistent, what it
// has not passed on when it is killed is gone.
func (r *rig) startBroker() {
	r.t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.address, "tcp://"))
	if err != nil {
		r.t.Fatal(err)
	}
	conf := filepath.Join(r.dir, "mosquitto.conf")
	// As itself: started by root, it would become a user who may not write here.
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\nlog_dest stderr\npersistence %t\npersistence_location %s/\nuser root\n", port, r.persistent, filepath.Join(r.dir, "broker"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.broker = r.start("broker", r.mosquitto, "-c", conf)
	r.until("the broker", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.address, "tcp://"))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// startOffice makes the inbox and the spy, and opens the inbox.
func (r *rig) startOffice() {
	r.t.Helper()
	var err error
	r.inbox, err = uplink.NewInbox(uplink.InboxConfig{
		Broker: r.address, Dir: filepath.Join(r.dir, "inbox"), Fleet: fleetName, Opener: r.office,
		OnStored: func(d uplink.Delivery) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.arrived[d.Parcel] = d
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		r.closeInbox()
		r.inbox.Close()
	})
	r.openInbox()
	r.spy = newSpy(r.t, r.address)
}

// openInbox lets the inbox work until closeInbox; it comes back by itself.
func (r *rig) openInbox() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if r.inbox.Run(ctx) != nil {
				time.Sleep(20 * time.Millisecond) // sooner than the agent, who would talk to an empty room
			}
		}
	}()
	r.closeInbox = func() {
		cancel()
		<-done
	}
}

func (r *rig) startAgent() {
	r.t.Helper()
	r.agent = r.start("agent", r.program[0], append(r.program[1:], "run", "--config", r.config)...)
	r.until("the control socket", func() bool {
		_, err := askControl(context.Background(), r.socket, "GET", "/status", nil)
		if r.agent.ended() {
			r.t.Fatalf("the agent has ended\n%s", r.agentLog())
		}
		return err == nil
	})
}

// process is a program under test.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs a program until it is killed or the test ends. What it says goes to
// a log named after it.
func (r *rig) start(name, program string, args ...string) *process {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "log", name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close() // the child has its own
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = r.dir, log, log
	p.cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(r.dir, "tmp"))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is in ProcessState
		close(p.done)
	}()
	r.t.Cleanup(p.kill)
	return p
}

// kill ends it as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks it to end and returns its exit code, -1 where it does not end in time.
func (p *process) stop(within time.Duration) int { return p.signal(syscall.SIGTERM, within) }

func (p *process) signal(s os.Signal, within time.Duration) int {
	if err := p.cmd.Process.Signal(s); err != nil {
		return -1
	}
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		return -1
	}
}

// gadeblik runs one command and returns what it said and its exit code.
func (r *rig) gadeblik(args ...string) (string, int) {
	r.t.Helper()
	cmd := exec.Command("gadeblik", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed and to say what is wanted.
func (r *rig) must(want string, args ...string) {
	r.t.Helper()
	out, code := r.gadeblik(args...)
	if code != exitOK || !regexp.MustCompile(want).MatchString(out) {
		r.t.Fatalf("gadeblik %s: exit code %d, %q; want %q", strings.Join(args, " "), code, out, want)
	}
}

func (r *rig) switchOn() {
	r.t.Helper()
	r.must("switch on since ", "switch", "on", "--socket", r.socket)
}

// condition asks the agent as a person would.
func (r *rig) condition() condition {
	r.t.Helper()
	out, code := r.gadeblik("switch", "status", "--json", "--socket", r.socket)
	var c condition
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != exitOK {
		r.t.Fatalf("switch status: exit code %d, %q (%v)\n%s", code, out, err, r.agentLog())
	}
	return c
}

func (r *rig) counter(name string) uint64 {
	r.t.Helper()
	return r.condition().Status.Counters[name]
}

func (r *rig) is(what string, got, want uint64) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: got %d, want %d", what, got, want)
	}
}

// until waits for something to become true.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(r.pace.patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waiting in vain for %s\n%s", what, r.agentLog())
		}
	}
}

// accept waits until the outbox has accepted n more observations.
func (r *rig) accept(n int) {
	r.t.Helper()
	want := len(r.witness.ids()) + n
	r.until(fmt.Sprintf("%d more observations", n), func() bool { return len(r.witness.ids()) >= want })
}

// stored is how many observations the inbox has.
func (r *rig) stored() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.arrived)
}

// inboxJSON returns where the inbox keeps the observation of a parcel, "" if it does
// not.
func (r *rig) inboxJSON(parcel string) string {
	r.mu.Lock()
	d, ok := r.arrived[parcel]
	r.mu.Unlock()
	if !ok {
		return ""
	}
	found, err := filepath.Glob(filepath.Join(r.dir, "inbox", "*", "*", "*", d.Observation.ID+".json"))
	if err != nil || len(found) != 1 {
		return ""
	}
	return found[0]
}

// vehicleKeys is what the office knows of the vehicle: the key that it made at its
// first start.
func (r *rig) vehicleKeys(_, _ string) ([]uplink.PublicKey, error) {
	k, err := uplink.ReadPublic(filepath.Join(r.dir, "state", "device.key.pub"))
	return []uplink.PublicKey{k}, err
}

// pictures is how many pictures the inbox keeps.
func (r *rig) pictures() int {
	found, err := filepath.Glob(filepath.Join(r.dir, "inbox", "*", "*", "*", "*.jpg"))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(found)
}

// outbox returns the ids that wait in the outbox of an agent that is dead. It
// opens a copy: what the next agent finds must be what this one left.
func (r *rig) outbox() map[string]bool {
	r.t.Helper()
	copied := filepath.Join(r.t.TempDir(), "outbox")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(r.dir, "state", "outbox"))); err != nil {
		r.t.Fatal(err)
	}
	box, found, err := uplink.OpenOutbox(copied, uplink.OutboxConfig{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer box.Close()
	items, err := box.Next(uplink.Item{}, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	if found.Damaged+found.Missing > 0 || found.Rebuilt != "" || box.Stats().Aside > 0 {
		r.t.Errorf("the outbox is not whole: %+v, %d aside", found, box.Stats().Aside)
	}
	waiting := map[string]bool{}
	for _, it := range items {
		waiting[it.ID] = true
	}
	return waiting
}

// audit holds the outbox of a killed agent against the witness: each observation
// that was ever accepted is in the outbox or with the inbox.
func (r *rig) audit(when string) {
	r.t.Helper()
	waiting := r.outbox()
	accepted := r.witness.ids()
	for id := range accepted {
		if !waiting[id] && r.inboxJSON(id) == "" {
			r.t.Errorf("%s: observation %s was accepted and is nowhere", when, id)
		}
	}
	for id := range waiting {
		if !accepted[id] {
			r.t.Errorf("%s: observation %s waits and was never seen to be accepted", when, id)
		}
	}
	r.t.Logf("%s: %d accepted so far, %d wait, %d with the inbox", when, len(accepted), len(waiting), r.stored())
}

// compareContents holds what arrived against what was accepted, byte by byte,
// and returns how many it could.
func (r *rig) compareContents() int {
	r.t.Helper()
	same := 0
	for id, item := range r.witness.contents(r.t) {
		at := r.inboxJSON(id)
		if at == "" {
			continue // reported already
		}
		observation, err := os.ReadFile(at)
		if err != nil {
			r.t.Fatal(err)
		}
		picture, err := os.ReadFile(strings.TrimSuffix(at, ".json") + ".jpg")
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.t.Fatal(err)
		}
		_, sealed, evidence, err := uplink.ReadItem(item)
		if err != nil {
			r.t.Fatal(err)
		}
		o, seen, err := r.office.Open(fleetName, vehicleName, sealed, evidence)
		if err != nil {
			r.t.Fatal(err)
		}
		accepted, err := json.Marshal(o)
		if err != nil || !bytes.Equal(accepted, observation) || !bytes.Equal(seen, picture) {
			r.t.Errorf("parcel %s arrived with another content than was accepted (%v)", id, err)
		}
		same++
	}
	return same
}

// retainedState is what the broker tells somebody who comes now.
func (r *rig) retainedState() uplink.State {
	r.t.Helper()
	return newSpy(r.t, r.address).retained(r.pace.patience)
}

// agentLog returns the end of what the agents of this test said.
func (r *rig) agentLog() string {
	raw, err := os.ReadFile(filepath.Join(r.dir, "log", "agent"))
	if err != nil {
		return err.Error()
	}
	const most = 16 << 10
	return string(raw[max(0, len(raw)-most):])
}
