package panel

import "time"

// reading is the button at one moment: its level, or why there is none.
type reading struct {
	at      time.Time
	pressed bool
	err     error  // the button is lost
	where   string // which button it is
}

// act is what a reading asks of the driver's switch.
type act uint8

const (
	nothing act = iota
	turnOff
	turnOn
	hold
)

// phase is where a press stands.
type phase uint8

const (
	lost   phase = iota // no level is known: nothing was read yet, or the button is gone
	rest                // not pressed
	down                // pressed, and not for long
	held                // pressed for long; the switch was told
	jammed              // pressed where nobody can have pressed it: a fault until it is let go
)

// What a button is at fault for while it is pressed.
const (
	pressedAtStart = "button pressed since the start"
	stuck          = "button stuck"
)

const (
	// stuckAfter is longer than anybody holds a button.
	stuckAfter = 30 * time.Second
	// settle is how soon after it was let go a button may be down again for that to be
	// a bad contact and no second press. Such a press turns nothing on.
	settle = 100 * time.Millisecond
)

// gesture makes presses of the button's levels. It believes levels and knows no
// edges: the same level twice says nothing new, and a change nobody saw is no change.
// Doubt turns nothing on. It takes times as data; its zero value knows no level.
type gesture struct {
	long     time.Duration // a press so long is a long one
	phase    phase
	since    time.Time // the press began
	released time.Time // the last one ended
	spent    bool      // this press has turned off, or may not turn on
	trouble  string    // what is wrong with the button; "" is nothing
}

// step takes the next reading, with what the switch says at this moment, and returns
// what to do. Off is done as the button goes down, on when it comes up again, so that
// a long press never turns on.
func (g *gesture) step(r reading, on bool) act {
	switch {
	case r.err != nil:
		g.phase, g.trouble = lost, r.err.Error()
		return nothing
	case !r.pressed:
		return g.up(r.at, on)
	}
	switch lasted := r.at.Sub(g.since); g.phase {
	case lost:
		g.phase, g.trouble = jammed, pressedAtStart
	case rest:
		g.phase, g.since = down, r.at
		g.spent = on || r.at.Sub(g.released) < settle
		if on {
			return turnOff
		}
	case down, held:
		if lasted >= stuckAfter {
			g.phase, g.trouble = jammed, stuck
		} else if g.phase == down && lasted >= g.long {
			g.phase = held
			return hold
		}
	}
	return nothing
}

func (g *gesture) up(at time.Time, on bool) act {
	was := g.phase
	g.phase, g.trouble = rest, ""
	if was == rest || was == lost {
		return nothing
	}
	g.released = at
	// A press that was long by now and not seen to be so, is neither: who knows not
	// when it ended does not turn on.
	if was == down && !g.spent && !on && at.Sub(g.since) < g.long {
		return turnOn
	}
	return nothing
}

// debouncer believes a level that has stood for a time. Its first is believed at once.
type debouncer struct {
	period time.Duration
	known  bool
	level  bool
	began  time.Time // the other level was first seen; zero: it is not
}

// step takes a level as it is read and returns the one to believe, and when to look
// again if that is to be soon; 0 is when it suits.
func (d *debouncer) step(raw bool, now time.Time) (level bool, again time.Duration) {
	switch {
	case !d.known || d.period <= 0:
		d.known, d.level = true, raw
	case raw == d.level:
		d.began = time.Time{}
	case d.began.IsZero():
		d.began = now
		return d.level, d.period
	default:
		if left := d.period - now.Sub(d.began); left > 0 {
			return d.level, left
		}
		d.level, d.began = raw, time.Time{}
	}
	return d.level, 0
}
