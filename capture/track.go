package capture

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// sentenceTime is what one NMEA sentence says about the time.
type sentenceTime struct {
	clock            time.Duration // since midnight UTC
	year, month, day int           // of a fix the receiver calls valid; year has two digits; 0 month = no date
}

// parseSentenceTime returns the UTC that an NMEA sentence carries, which only
// RMC, GGA, GNS, GLL and ZDA with a correct checksum do. It takes any bytes.
func parseSentenceTime(line []byte) (sentenceTime, bool) {
	body, ok := checkedBody(line)
	if !ok {
		return sentenceTime{}, false
	}
	var fields [12][]byte
	n := 0
	for ; n < len(fields); n++ {
		before, after, found := bytes.Cut(body, []byte(","))
		fields[n], body = before, after
		if !found {
			n++
			break
		}
	}
	if len(fields[0]) != 5 || fields[0][0] == 'P' {
		return sentenceTime{}, false
	}
	at := 1
	kind := string(fields[0][2:])
	switch kind {
	case "RMC", "GGA", "GNS", "ZDA":
	case "GLL":
		at = 5
	default:
		return sentenceTime{}, false
	}
	var t sentenceTime
	if t.clock, ok = parseClock(fields[at]); !ok {
		return sentenceTime{}, false
	}
	// A receiver without a fix tells the date it was made on; only a valid
	// RMC is believed.
	if kind == "RMC" && n > 9 && string(fields[2]) == "A" {
		t.day, t.month, t.year = parseDate(fields[9])
	}
	return t, true
}

// checkedBody returns what stands between $ and * if the checksum fits.
func checkedBody(line []byte) ([]byte, bool) {
	start := bytes.LastIndexByte(line, '$')
	star := bytes.LastIndexByte(line, '*')
	if start < 0 || star < start || star+3 > len(line) {
		return nil, false
	}
	want, err := strconv.ParseUint(string(line[star+1:star+3]), 16, 8)
	if err != nil {
		return nil, false
	}
	var sum byte
	for _, c := range line[start+1 : star] {
		sum ^= c
	}
	return line[start+1 : star], sum == byte(want)
}

// parseClock reads hhmmss or hhmmss.sss. A leap second is the second after it.
func parseClock(f []byte) (time.Duration, bool) {
	whole, frac, _ := bytes.Cut(f, []byte("."))
	h, m, s := 0, 0, 0
	if len(whole) != 6 || !digits(whole[0:2], &h) || !digits(whole[2:4], &m) || !digits(whole[4:6], &s) {
		return 0, false
	}
	if h > 23 || m > 59 || s > 60 {
		return 0, false
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	unit := time.Second
	for _, c := range frac[:min(len(frac), 9)] {
		if c < '0' || c > '9' {
			return 0, false
		}
		unit /= 10
		d += time.Duration(c-'0') * unit
	}
	return d, true
}

// parseDate reads ddmmyy; month 0 means that it is none.
func parseDate(f []byte) (day, month, year int) {
	if len(f) != 6 || !digits(f[0:2], &day) || !digits(f[2:4], &month) || !digits(f[4:6], &year) {
		return 0, 0, 0
	}
	if day < 1 || day > 31 || month < 1 || month > 12 {
		return 0, 0, 0
	}
	return day, month, year
}

func digits(f []byte, n *int) bool {
	*n = 0
	for _, c := range f {
		if c < '0' || c > '9' {
			return false
		}
		*n = *n*10 + int(c-'0')
	}
	return true
}

// trackGap is how far the time may leap ahead between two sentences without
// being doubted.
const trackGap = time.Minute

// trackClock gives every line of a track its drive time. It never goes back and
// stays within [started, started+MaxDrive], whatever the lines say.
type trackClock struct {
	started time.Time
	last    time.Time // the time of the line before
	leap    time.Time // a leap ahead that wants a second sentence to confirm it
}

func newTrackClock(started time.Time) *trackClock {
	return &trackClock{started: started, last: started}
}

// at returns the drive time of the next line: the sentence's own UTC, or the
// time of the line before for lines that carry none, go back, are outside the
// drive or, without a date, leap far ahead with no other to agree.
func (c *trackClock) at(line []byte) time.Time {
	t, ok := parseSentenceTime(line)
	if !ok {
		return c.last
	}
	cand := c.resolve(t)
	ahead := cand.Sub(c.last)
	if ahead < 0 || !c.inside(cand) {
		return c.last
	}
	if ahead > trackGap && t.month == 0 && (c.leap.IsZero() || cand.Sub(c.leap).Abs() > trackGap) {
		c.leap = cand
		return c.last
	}
	c.last, c.leap = cand, time.Time{}
	return c.last
}

func (c *trackClock) inside(t time.Time) bool {
	return !t.Before(c.started) && t.Sub(c.started) <= MaxDrive
}

// resolve makes a full time of what a sentence says: by its date, in the
// century of the drive, or on the day that is nearest to the line before.
func (c *trackClock) resolve(t sentenceTime) time.Time {
	if t.month != 0 {
		year := c.started.Year()/100*100 + t.year
		if d := year - c.started.Year(); d > 50 {
			year -= 100
		} else if d < -50 {
			year += 100
		}
		return time.Date(year, time.Month(t.month), t.day, 0, 0, 0, 0, time.UTC).Add(t.clock)
	}
	y, m, d := c.last.Date()
	cand := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(t.clock)
	switch diff := cand.Sub(c.last); {
	case diff > 12*time.Hour:
		return cand.AddDate(0, 0, -1)
	case diff < -12*time.Hour:
		return cand.AddDate(0, 0, 1)
	}
	return cand
}

// trackReader reads a track line by line.
type trackReader struct {
	r     *bufio.Reader
	clock *trackClock
}

func newTrackReader(r io.Reader, started time.Time) *trackReader {
	return &trackReader{r: bufio.NewReaderSize(r, maxNMEA), clock: newTrackClock(started)}
}

// next returns the next line, with its end and its time, io.EOF after the last.
// A line longer than maxNMEA comes in pieces. The bytes are the caller's.
func (t *trackReader) next() (Event, error) {
	line, err := t.r.ReadSlice('\n')
	if len(line) == 0 {
		return Event{}, err
	}
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
		return Event{}, err
	}
	return Event{At: t.clock.at(line), NMEA: bytes.Clone(line)}, nil
}
