package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxFile is no limit in practice: such files are read in pieces or refused by
// what reads them.
const maxFile = 1 << 40

// openFolder opens a drive that is a folder.
func (d *Drive) openFolder() error {
	b, err := readFile(filepath.Join(d.Path, "drive.yaml"), maxDriveYAML)
	if err != nil {
		return err
	}
	info, err := parseDriveYAML(b)
	if err != nil {
		return err
	}
	d.Name, d.Started, d.Track, d.Source, d.Mount = info.name, info.started, info.track, info.source, info.mount
	times, err := listFrames(filepath.Join(d.Path, "frames"))
	if err != nil {
		return err
	}
	d.Frames = len(times)
	if len(times) > 0 {
		d.Length = time.Duration(times[len(times)-1]) * time.Millisecond
	}
	if info.frames >= 0 && info.frames != len(times) {
		d.warn("drive.yaml says %d frames, frames/ has %d", info.frames, len(times))
	}
	if err := d.checkTrack(); err != nil {
		return err
	}
	orders := filepath.Join(d.Path, "orders.geojson")
	if st, err := os.Stat(orders); err == nil && st.Mode().IsRegular() {
		d.orders = orders
	}
	d.open = func() (driveStream, error) { return d.streamFolder(times) }
	return nil
}

func (d *Drive) warn(format string, args ...any) {
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
}

// listFrames returns the times of the frames in a folder, in milliseconds,
// sorted. Hidden files are passed over, anything else that is not a frame is
// an error.
func listFrames(dir string) ([]int32, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("frames: %w", cause(err))
	}
	defer f.Close() // only read from
	var times []int32
	for {
		// In portions: the names of a million frames would be large.
		entries, err := f.ReadDir(4096)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				continue
			}
			ms, ok := frameTime(e.Name())
			if !ok {
				return nil, fmt.Errorf("frames/%s: a frame is named by nine digits of milliseconds and .jpg, such as 000012500.jpg", clip(e.Name()))
			}
			times = append(times, ms)
		}
		if len(times) > maxFrames {
			return nil, fmt.Errorf("frames: more than %d frames", maxFrames)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("frames: %w", cause(err))
		}
	}
	slices.Sort(times)
	return times, nil
}

func frameTime(name string) (int32, bool) {
	num, ok := strings.CutSuffix(name, ".jpg")
	n := 0
	if !ok || len(num) != 9 || !digits([]byte(num), &n) {
		return 0, false
	}
	return int32(n), true
}

func frameName(ms int32) string {
	return fmt.Sprintf("%09d.jpg", ms)
}

// checkTrack finds the mistake that would put every frame far from its fix: a
// start time that is not that of the track.
func (d *Drive) checkTrack() error {
	f, _, err := openFile(filepath.Join(d.Path, "track.nmea"), maxFile)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	line, at, err := firstDated(f, newTrackClock(d.Started))
	switch late := at.Sub(d.Started); {
	case err != nil:
		return fmt.Errorf("track.nmea: %w", cause(err))
	case line == 0:
		d.warn("track.nmea has no valid RMC sentence with a date: times follow the time of day alone")
	case late < 0 || late > MaxDrive:
		return fmt.Errorf("track.nmea:%d: the sentence is of %s, drive.yaml says the drive started %s; mend started",
			line, at.Format(time.RFC3339), d.Started.Format(time.RFC3339))
	case late > time.Hour:
		d.warn("track.nmea:%d: the first dated sentence is %s after the drive started", line, late)
	}
	return nil
}

// firstDated returns the line and time of the first dated sentence that is
// inside the drive or, if there is none early on, of the first that is not.
// Line 0 means that no sentence is dated.
func firstDated(r io.Reader, clock *trackClock) (line int, at time.Time, err error) {
	const enough = 200 // a receiver may be wrong for a while after it was switched on
	lines := bufio.NewReaderSize(r, maxNMEA)
	for n, seen := 1, 0; seen < enough; n++ {
		b, err := lines.ReadSlice('\n')
		if t, ok := parseSentenceTime(b); ok && t.month != 0 {
			seen++
			found := clock.resolve(t)
			if clock.inside(found) {
				return n, found, nil
			}
			if line == 0 {
				line, at = n, found
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, time.Time{}, err
		}
	}
	return line, at, nil
}

// folderStream merges a track and frames by time.
type folderStream struct {
	d     *Drive
	file  *os.File
	track *trackReader
	line  *Event  // the next line, read ahead
	times []int32 // of the frames still to come
	from  time.Time
	seq   uint64
}

func (d *Drive) streamFolder(times []int32) (driveStream, error) {
	f, _, err := openFile(filepath.Join(d.Path, "track.nmea"), maxFile)
	if err != nil {
		return nil, err
	}
	return &folderStream{d: d, file: f, track: newTrackReader(f, d.Started), times: times}, nil
}

func (s *folderStream) close() error       { return s.file.Close() }
func (s *folderStream) skipTo(t time.Time) { s.from = t }
func (s *folderStream) when(ms int32) time.Time {
	return s.d.Started.Add(time.Duration(ms) * time.Millisecond)
}

func (s *folderStream) next() (Event, error) {
	if s.line == nil && s.track != nil {
		ev, err := s.track.next()
		switch {
		case errors.Is(err, io.EOF):
			s.track = nil
		case err != nil:
			return Event{}, fmt.Errorf("track.nmea: %w", cause(err))
		default:
			s.line = &ev
		}
	}
	for len(s.times) > 0 && s.when(s.times[0]).Before(s.from) {
		s.times = s.times[1:]
		s.seq++
	}
	// At the same time the fix comes first.
	if s.line != nil && (len(s.times) == 0 || !s.line.At.After(s.when(s.times[0]))) {
		ev := *s.line
		s.line = nil
		return ev, nil
	}
	if len(s.times) == 0 {
		return Event{}, io.EOF
	}
	ms := s.times[0]
	s.times = s.times[1:]
	s.seq++
	return s.frame(ms)
}

// frame reads one picture. A picture that is damaged is an event; a file that
// cannot be read is an error.
func (s *folderStream) frame(ms int32) (Event, error) {
	name := frameName(ms)
	f, n, err := openFile(filepath.Join(s.d.Path, "frames", name), maxFile)
	if err != nil {
		return Event{}, fmt.Errorf("frames/%w", err)
	}
	defer f.Close() // only read from
	ev := Event{At: s.when(ms)}
	ev.Frame, err = s.d.pool.read(f, int(n))
	if errors.Is(err, ErrDamaged) {
		ev.Damaged = fmt.Errorf("frames/%s: %w", name, err)
		return ev, nil
	}
	if err != nil {
		return Event{}, fmt.Errorf("frames/%s: %w", name, cause(err))
	}
	ev.Frame.Seq, ev.Frame.At = s.seq, ev.At
	return ev, nil
}
