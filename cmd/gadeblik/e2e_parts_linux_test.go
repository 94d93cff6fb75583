package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/creack/pty"
	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"gadeblik/uplink"
)

// witness sees every observation that an outbox accepts, and every temporary
// file, from outside of the agent.
type witness struct {
	items, keep string
	tmp         int32 // watch of the folder for temporary files

	mu       sync.Mutex // guards what its goroutine finds
	accepted map[string]bool
	created  []string
	missed   int // events, or contents gone before they could be linked
}

// newWitness watches the folder of an outbox's items, keeping a link to each in
// keep, and the folder tmp, until the test ends.
func newWitness(t *testing.T, items, keep, tmp string) *witness {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Skipf("no inotify here: %v", err)
	}
	w := &witness{items: items, keep: keep, accepted: map[string]bool{}}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, items, unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	wd, err := unix.InotifyAddWatch(fd, tmp, unix.IN_CREATE|unix.IN_MOVED_TO)
	if err != nil {
		t.Fatal(err)
	}
	w.tmp = int32(wd)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.watch(f)
	}()
	t.Cleanup(func() {
		f.Close()
		<-done
	})
	return w
}

func (w *witness) watch(f *os.File) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return // closed
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			at += unix.SizeofInotifyEvent
			name := strings.TrimRight(string(buf[at:at+int(e.Len)]), "\x00")
			at += int(e.Len)
			w.see(e.Wd, e.Mask, name)
		}
	}
}

func (w *witness) see(wd int32, mask uint32, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if mask&unix.IN_Q_OVERFLOW != 0 {
		w.missed++
		return
	}
	if wd == w.tmp {
		w.created = append(w.created, name)
		return
	}
	// 16 digits of sequence, a hyphen, the id, .item
	base, isItem := strings.CutSuffix(name, ".item")
	if !isItem || len(base) != 16+1+36 {
		return
	}
	w.accepted[base[17:]] = true
	if os.Link(filepath.Join(w.items, name), filepath.Join(w.keep, name)) != nil {
		w.missed++ // delivered already
	}
}

// ids returns every id that was ever accepted.
func (w *witness) ids() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string]bool, len(w.accepted))
	for id := range w.accepted {
		all[id] = true
	}
	return all
}

// temporary returns the names of the temporary files that were made.
func (w *witness) temporary() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.created...)
}

// contents returns the files of the items as they were accepted, by id.
func (w *witness) contents(t *testing.T) map[string]string {
	t.Helper()
	names, err := os.ReadDir(w.keep)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, n := range names {
		all[n.Name()[17:17+36]] = filepath.Join(w.keep, n.Name())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.missed > len(w.accepted)/4 {
		t.Errorf("the witness missed %d of %d contents: it proves little", w.missed, len(w.accepted))
	}
	return all
}

// spy hears everything that passes the broker, and comes back when that does.
type spy struct {
	client mqtt.Client

	mu       sync.Mutex // guards the rest: the client calls from goroutines of its own
	contents map[string]map[[sha256.Size]byte]bool
	states   []uplink.Status
	kept     chan uplink.State // the first retained state
	reported uplink.OrdersReport
}

func newSpy(t *testing.T, address string) *spy {
	t.Helper()
	s := &spy{contents: map[string]map[[sha256.Size]byte]bool{}, kept: make(chan uplink.State, 1)}
	o := mqtt.NewClientOptions().AddBroker(address).SetCleanSession(true).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).
		SetOnConnectHandler(func(c mqtt.Client) { c.Subscribe("gadeblik/v1/#", 1, s.hear) })
	s.client = mqtt.NewClient(o)
	if c := s.client.Connect(); !c.WaitTimeout(10*time.Second) || c.Error() != nil {
		t.Fatalf("connect to the broker: %v", c.Error())
	}
	t.Cleanup(func() { s.client.Disconnect(50) })
	return s
}

func (s *spy) hear(_ mqtt.Client, m mqtt.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.contents[m.Topic()] == nil {
		s.contents[m.Topic()] = map[[sha256.Size]byte]bool{}
	}
	s.contents[m.Topic()][sha256.Sum256(m.Payload())] = true
	switch {
	case strings.HasSuffix(m.Topic(), "/status"):
		var st uplink.Status
		if json.Unmarshal(m.Payload(), &st) != nil {
			return
		}
		s.states = append(s.states, st)
		if m.Retained() {
			select {
			case s.kept <- st.State:
			default:
			}
		}
	case strings.HasSuffix(m.Topic(), "/orders/reported"):
		var r uplink.OrdersReport
		if json.Unmarshal(m.Payload(), &r) == nil {
			s.reported = r
		}
	}
}

// status returns the newest status heard.
func (s *spy) status() uplink.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.states) == 0 {
		return uplink.Status{}
	}
	return s.states[len(s.states)-1]
}

// was tells whether a state was ever heard.
func (s *spy) was(state uplink.State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.states {
		if st.State == state {
			return true
		}
	}
	return false
}

// report returns the newest answer to orders.
func (s *spy) report() uplink.OrdersReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reported
}

// retained returns the state that was retained when the spy came, "" if none.
func (s *spy) retained(within time.Duration) uplink.State {
	defer s.client.Disconnect(50)
	select {
	case st := <-s.kept:
		return st
	case <-time.After(within):
		return ""
	}
}

// sent returns the topics with any of these parts in their names, and how many
// different contents each carried.
func (s *spy) sent(parts ...string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]int{}
	for topic, contents := range s.contents {
		for _, p := range parts {
			if strings.Contains(topic, p) {
				found[topic] = len(contents)
			}
		}
	}
	return found
}

// epoch is one second of a recorded track: its sentences and where it was.
type epoch struct {
	sentences []string
	lat, lon  float64
}

// trackOf reads a log with an RMC and a GGA sentence for each second; where it is
// missing, it draws one.
func trackOf(t *testing.T, path string) []epoch {
	t.Helper()
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Log("no recorded track: the vehicle drives in a circle")
		raw, err = []byte(circle()), nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var track []epoch
	for _, line := range strings.Fields(string(raw)) {
		f := strings.Split(line, ",")
		if strings.HasSuffix(f[0], "RMC") {
			track = append(track, epoch{lat: degrees(t, f[3], f[4]), lon: degrees(t, f[5], f[6])})
		}
		if len(track) > 0 {
			e := &track[len(track)-1]
			e.sentences = append(e.sentences, line)
		}
	}
	if len(track) < 500 {
		t.Fatalf("%s: %d seconds, want at least 500", path, len(track))
	}
	return track
}

// circle is ten minutes at 5 m/s on a circle in Copenhagen, which ends where it
// began. The sentences have no checksums: they get them when they are played.
func circle() string {
	const seconds, radius = 600, 600 * 5 / (2 * math.Pi)
	var b strings.Builder
	for s := range seconds {
		angle := 2 * math.Pi * float64(s) / seconds
		lat := 55.68 + radius*math.Sin(angle)/111_200
		lon := 12.56 + radius*math.Cos(angle)/62_800
		ddmm := func(v float64) float64 { return 100*math.Floor(v) + 60*(v-math.Floor(v)) }
		fmt.Fprintf(&b, "$GNRMC,000000.00,A,%010.5f,N,%011.5f,E,9.719,%.2f,010126,,,A\n", ddmm(lat), ddmm(lon), math.Mod(720-angle*180/math.Pi, 360))
		fmt.Fprintf(&b, "$GNGGA,000000.00,%010.5f,N,%011.5f,E,1,11,0.90,8.0,M,40.0,M,,\n", ddmm(lat), ddmm(lon))
	}
	return b.String()
}

func degrees(t *testing.T, text, hemisphere string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	d := math.Floor(v/100) + math.Mod(v, 100)/60
	if hemisphere == "S" || hemisphere == "W" {
		return -d
	}
	return d
}

// playTrack plays a track on a pseudo-terminal until the test ends and returns
// the terminal's name. The sentences are those of the log but for their time and
// date, which are those of the playing: the agent holds the receiver's clock
// against its own. Played faster than it was driven, the track is that of a
// faster vehicle.
func playTrack(t *testing.T, track []epoch, every time.Duration) string {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	// Open for as long as the test, as a driver is: a terminal nobody has open is
	// hung up. Raw, or what is written would be echoed.
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			overrun(slave)
			if _, err := master.WriteString(track[i%len(track)].at(time.Now().UTC())); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		master.Close()
		slave.Close()
	})
	return slave.Name()
}

// overrun loses what nobody reads, as a serial port does; otherwise the writer
// would wait for the next agent and wake up with old sentences.
func overrun(slave *os.File) {
	const room = 1500
	if n, err := unix.IoctlGetInt(int(slave.Fd()), unix.TIOCINQ); err == nil && n > room {
		_ = unix.IoctlSetInt(int(slave.Fd()), unix.TCFLSH, unix.TCIFLUSH) // then the agent sees old sentences, and copes
	}
}

// at returns the epoch's sentences as of another moment.
func (e epoch) at(now time.Time) string {
	var b strings.Builder
	for _, s := range e.sentences {
		body, _, _ := strings.Cut(strings.TrimPrefix(s, "$"), "*")
		f := strings.Split(body, ",")
		f[1] = now.Format("150405.00")
		if strings.HasSuffix(f[0], "RMC") {
			f[9] = now.Format("020106")
		}
		body = strings.Join(f, ",")
		var sum byte
		for _, c := range []byte(body) {
			sum ^= c
		}
		fmt.Fprintf(&b, "$%s*%02X\r\n", body, sum)
	}
	return b.String()
}

// zonesAlong lays zones along a track: 24 seconds inside, 16 outside, and so on,
// so that passes begin and end all the time.
func zonesAlong(track []epoch) string {
	var zones []string
	for from := 0; from+24 <= len(track); from += 40 {
		south, west, north, east := 90.0, 180.0, -90.0, -180.0
		for _, e := range track[from : from+24] {
			south, north = min(south, e.lat), max(north, e.lat)
			west, east = min(west, e.lon), max(east, e.lon)
		}
		const lat, lon = 0.0003, 0.0004 // about 30 metres
		zones = append(zones, zone(from, south-lat, west-lon, north+lat, east+lon))
	}
	return strings.Join(zones, ",\n")
}

func zone(n int, south, west, north, east float64) string {
	return fmt.Sprintf(`{"type": "Feature", "id": "zone-%d", "properties": {"name": "Zone %d"}, "geometry": {"type": "Polygon", "coordinates": [[[%.7f, %.7f], [%.7f, %.7f], [%.7f, %.7f], [%.7f, %.7f], [%.7f, %.7f]]]}}`,
		n, n, west, south, east, south, east, north, west, north, west, south)
}

// elsewhere is a zone the track never comes to.
const elsewhere = `{"type": "Feature", "id": "zone-0", "properties": {"name": "Elsewhere"}, "geometry": {"type": "Polygon", "coordinates": [[[12.55, 55.68], [12.56, 55.68], [12.56, 55.69], [12.55, 55.68]]]}}`

// signed writes orders for the zones, signs them with a key, and returns the path.
func (r *rig) signed(version int, key, zones string) string {
	r.t.Helper()
	var ids []string
	for _, line := range strings.Split(zones, "\n") {
		_, rest, _ := strings.Cut(line, `"id": "`)
		id, _, _ := strings.Cut(rest, `"`)
		ids = append(ids, strconv.Quote(id))
	}
	task := func(id, action, labels string) string {
		return fmt.Sprintf(`{"id": %q, "purpose": "End-to-end test", "legal_basis": "none needed", "controller": "Nobody", "zones": [%s], "labels": [%s], "action": %q, "context": %q, "min_score": 0.4, "every_m": 12, "quota_per_day": 10000}`,
			id, strings.Join(ids, ", "), labels, action, r.context)
	}
	now := time.Now().UTC()
	text := fmt.Sprintf(`{
"type": "FeatureCollection",
"gadeblik": {"version": %d, "fleet": %q, "vehicles": [%q], "not_before": %q, "not_after": %q},
"features": [
%s
],
"tasks": [
%s,
%s,
%s
]
}
`, version, fleetName, vehicleName, now.Add(-time.Hour).Format(time.RFC3339), now.Add(24*time.Hour).Format(time.RFC3339), zones,
		task("vehicles", "evidence", `"car", "truck"`), task("people", "count", `"person"`), task("containers", "survey", `"container"`))
	path := filepath.Join(r.dir, fmt.Sprintf("orders-%d-%s.geojson", version, key))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.must("^signed version ", "orders", "sign", path, "--key", filepath.Join(r.dir, key+".key"))
	return path + ".signed"
}
