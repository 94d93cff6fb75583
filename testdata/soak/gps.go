package main

import (
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A vehicle drives in a circle at a steady speed; a lap takes forty seconds. Half of
// it lies in zones.
const (
	rate  = 10 // fixes a second
	lap   = 40 * time.Second
	speed = 8.0 // metres a second
)

// place is the middle of a circle.
type place struct{ lat, lon float64 }

var (
	town    = place{55.68, 12.56} // where the zones are
	outside = place{55.75, 12.40} // where none is
)

// at is where the vehicle is, and its course in degrees, some time into a lap.
func (p place) at(t time.Duration) (lat, lon, course float64) {
	angle := 2 * math.Pi * float64(t%lap) / float64(lap)
	radius := speed * lap.Seconds() / (2 * math.Pi)
	lat = p.lat + radius*math.Sin(angle)/111_200
	lon = p.lon + radius*math.Cos(angle)/(111_320*math.Cos(p.lat*math.Pi/180))
	return lat, lon, math.Mod(720-angle*180/math.Pi, 360)
}

// receiver is a GPS on a serial line: name leads to its port, whichever that is.
type receiver struct {
	name string

	mu            sync.Mutex // guards all below: the soak moves, plugs and unplugs it
	around        place
	master, slave *os.File // nil while it is unplugged
}

// plugIn makes a port; it may be another one than before.
func (r *receiver) plugIn() error {
	master, slave, err := pty.Open()
	if err != nil {
		return err
	}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil { // else what is written would be echoed
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.name + ".next"
	if err := os.Symlink(slave.Name(), next); err != nil {
		return err
	}
	r.master, r.slave = master, slave
	return os.Rename(next, r.name)
}

// unplug takes the port away under the agent's hands.
func (r *receiver) unplug() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.master == nil {
		return
	}
	r.master.Close()
	r.slave.Close()
	r.master, r.slave = nil, nil
	os.Remove(r.name) // as udev does; plugIn would replace it anyway
}

// move puts the vehicle elsewhere.
func (r *receiver) move(to place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.around = to
}

// drive says where the vehicle is until stop is closed.
func (r *receiver) drive(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		r.say(time.Since(began))
	}
}

// say writes the two sentences of a fix. What nobody reads is lost, as on a serial
// line; otherwise the agent would wake up with old sentences.
func (r *receiver) say(t time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.master == nil {
		return
	}
	const room = 1500
	if n, err := unix.IoctlGetInt(int(r.slave.Fd()), unix.TIOCINQ); err == nil && n > room {
		_ = unix.IoctlSetInt(int(r.slave.Fd()), unix.TCFLSH, unix.TCIFLUSH) // else the agent reads old ones, and copes
	}
	_, _ = r.master.WriteString(sentences(r.around, t, time.Now().UTC())) // the agent sees what is missing
}

func sentences(around place, t time.Duration, now time.Time) string {
	lat, lon, course := around.at(t)
	clock, day := now.Format("150405.00"), now.Format("020106")
	ddmm := func(v float64) float64 { return 100*math.Floor(v) + 60*(v-math.Floor(v)) }
	return line(fmt.Sprintf("GNRMC,%s,A,%010.5f,N,%011.5f,E,%.3f,%.2f,%s,,,A", clock, ddmm(lat), ddmm(lon), speed/0.514444, course, day)) +
		line(fmt.Sprintf("GNGGA,%s,%010.5f,N,%011.5f,E,1,11,0.90,8.0,M,40.0,M,,", clock, ddmm(lat), ddmm(lon)))
}

// line adds the checksum.
func line(body string) string {
	var sum byte
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}
