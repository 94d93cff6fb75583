package gps

import "time"

// DecoderConfig says how a stream is to be read. The zero value reads a whole
// log from its beginning and believes any date.
type DecoderConfig struct {
	// Floor and Ceiling bound the dates that are believed: Floor <= date <
	// Ceiling. A date before Floor is tried again 1024 weeks later, one that
	// is still outside makes [Fix].Time unknown. Use the build date of the
	// program for Floor in live operation and leave it zero, which is no
	// bound, in replay. A zero Ceiling is 19 years after Floor.
	Floor, Ceiling time.Time

	// Midstream says that the stream is joined at any point: everything up to
	// the first line end is dropped.
	Midstream bool
}

// A Decoder makes fixes of the bytes of a receiver. Bad input of any kind is
// counted and dropped; it never panics and its memory does not grow. It is not
// for concurrent use.
type Decoder struct {
	framer   framer
	parser   *parser
	calendar calendar
	count    *Counters

	open    bool  // epoch is being filled
	epoch   epoch // the one that is arriving
	settled bool  // last was emitted
	last    daytime
	sure    bool // last made a valid fix

	loose extras // GSA and VTG whose epoch is not known yet
	edge  bool   // loose came after a silence: it is of the epoch to come
	pairs int    // > 0: the receiver sends both RMC and GGA; see pairMemory
}

// pairMemory is how many incomplete epochs in a row it takes to believe that a
// receiver has ceased to send both RMC and GGA.
const pairMemory = 3

// NewDecoder returns a decoder at the beginning of a stream.
func NewDecoder(cfg DecoderConfig) *Decoder {
	count := new(Counters)
	return &Decoder{
		framer:   framer{waiting: cfg.Midstream, count: count},
		parser:   newParser(count),
		calendar: newCalendar(cfg.Floor, cfg.Ceiling),
		count:    count,
	}
}

// Write takes the next bytes, which arrived at the host time at, and calls
// emit for each epoch they complete, before it returns. How the stream is cut
// into calls makes no difference to the fixes, but for their At.
func (d *Decoder) Write(p []byte, at time.Time, emit func(Fix)) {
	for _, b := range p {
		if line, ok := d.framer.next(b); ok {
			d.sentence(line, at, emit)
		}
	}
}

// Idle says that the line has been silent for so long that it must be between
// two epochs. It emits the epoch that is arriving, unless the receiver is one
// that sends RMC and GGA and one of them is still to come.
func (d *Decoder) Idle(emit func(Fix)) {
	if d.open && d.pairs > 0 {
		return
	}
	d.silence(emit)
}

// Flush says that the stream has ended. It takes a last line that lacks its
// line end and emits the epoch that was arriving, complete or not.
func (d *Decoder) Flush(at time.Time, emit func(Fix)) {
	if line, ok := d.framer.finish(); ok {
		d.sentence(line, at, emit)
	}
	d.silence(emit)
}

// Counters returns what has been counted so far.
func (d *Decoder) Counters() Counters { return *d.count }

// silence closes the epoch: what came last before it belongs to that epoch,
// what comes next belongs to another.
func (d *Decoder) silence(emit func(Fix)) {
	if d.open {
		d.epoch.extras.merge(d.loose)
		d.settle(emit)
	}
	d.loose, d.edge = extras{}, true
}

func (d *Decoder) sentence(line []byte, at time.Time, emit func(Fix)) {
	r, ok := d.parser.read(string(line))
	if !ok {
		return
	}
	switch r.kind {
	case gsa, vtg:
		if d.open || d.edge {
			d.loose.put(r)
		}
	case zda:
		d.calendar.see(r.date, r.time)
	default:
		d.place(r, at, emit)
	}
}

// place puts a sentence that has a time into its epoch.
func (d *Decoder) place(r reading, at time.Time, emit func(Fix)) {
	if d.settled && r.time != noTime && r.time == d.last {
		d.late(r)
		return
	}
	if d.open && (r.time != d.epoch.time || r.time == noTime && d.epoch.has[r.kind]) {
		d.settle(emit)
		d.loose = extras{} // of the old epoch or of the new one: nobody knows
	}
	if d.open && d.epoch.has[r.kind] {
		d.late(r)
		return
	}
	if !d.open {
		d.open, d.epoch = true, epoch{time: r.time}
	}
	d.epoch.extras.merge(d.loose)
	d.loose, d.edge = extras{}, false
	d.epoch.put(r, at)
	if d.epoch.complete() {
		d.settle(emit)
		d.pairs = pairMemory
	}
}

// late takes from a sentence that is too late for its epoch the only thing
// that serves others, the date.
func (d *Decoder) late(r reading) {
	d.count.Late++
	if d.sure {
		d.calendar.see(r.date, r.time)
	}
}

// settle emits the epoch that is arriving.
func (d *Decoder) settle(emit func(Fix)) {
	f := d.epoch.fix(d.count)
	d.date(&f)
	d.open, d.settled, d.last, d.sure = false, true, d.epoch.time, f.Valid
	d.pairs = max(d.pairs-1, 0)
	d.count.Epochs++
	if f.Valid {
		d.count.Fixes++
	}
	emit(f)
}

// date sets the time of f. A date is moved over the turn of the week counter
// only for a measured position: before that a receiver counts from its reset.
func (d *Decoder) date(f *Fix) {
	day := d.epoch.date()
	if f.Valid {
		d.calendar.see(day, d.epoch.time)
	}
	utc := d.calendar.reported(day, d.epoch.time)
	later, turned := d.calendar.turned(utc)
	switch {
	case utc.IsZero():
	case d.calendar.plausible(utc):
		f.Time = utc
	case f.Valid && turned:
		f.Time, f.RolledOver = later, true
		d.count.RolledOver++
	default:
		d.count.BadDates++
	}
}
