package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// Limits of a drive, so that a damaged or hostile one costs bounded memory.
const (
	// MaxDrive is how long a drive may last: frames are named by nine digits
	// of milliseconds.
	MaxDrive = 999_999_999 * time.Millisecond

	maxFrames = 1_000_000
	maxOrders = 16 << 20
	// maxNMEA is how many bytes of a track make one event at most. A sentence
	// has 82; more than this without a line end is not NMEA.
	maxNMEA = 4096
	// drivePool is how many frames a reader of a drive may hold before fresh
	// memory is taken.
	drivePool = 8
)

// Drive is a recorded trip: a folder or an MCAP file. It is opened once and
// may be read any number of times, by several goroutines too.
type Drive struct {
	Path    string    // as given to OpenDrive
	Name    string    // never empty
	Started time.Time // UTC; drive time zero
	Track   string    // where the positions come from, free text
	Source  string    // where the drive comes from, free text
	Mount   Mount     // how the camera was mounted
	Frames  int       // how many frames there are
	// Length is the drive time of the last frame.
	Length time.Duration
	// Warnings are what is odd but does not stop a replay, one sentence each.
	Warnings []string

	orders string // path of orders.geojson, "" if none
	pool   *Pool
	open   func() (driveStream, error)
	attach func() ([]byte, error) // orders inside an MCAP file
}

// Mount says how a camera looks at the street. Zero means unknown.
type Mount struct {
	Position string  // front, rear, left, right
	HeightM  float64 // metres above the road
	PitchDeg float64 // degrees above the horizon
	HFovDeg  float64 // degrees, the horizontal field of view
}

// Event is one thing that happened on a drive. Exactly one of NMEA, Location,
// Frame and Damaged is set.
type Event struct {
	// At is the drive time in UTC, never before Drive.Started.
	At time.Time
	// NMEA is a line of the track as recorded, line end included, which may
	// be anything: a receiver's noise is part of a drive.
	NMEA []byte
	// Location is a position from a drive without NMEA.
	Location *Location
	// Frame is a picture. Whoever gets it releases it.
	Frame *Frame
	// Damaged says which picture could not be used and why. The drive goes on.
	Damaged error
}

// Location is a position as MCAP files hold it (foxglove.LocationFix).
type Location struct {
	Time     time.Time // UTC as the message says; zero = unknown
	Valid    bool      // a position on Earth and not exactly 0, 0
	Lat, Lon float64   // degrees WGS 84; meaningful only if Valid, never NaN
	Altitude float64   // metres; never NaN
	Accuracy float64   // metres, one sigma in the worse horizontal direction; 0 = unknown
}

// driveStream is one pass over a drive.
type driveStream interface {
	// next returns the next event in order, io.EOF at the end.
	next() (Event, error)
	// skipTo lets frames before t pass without reading them.
	skipTo(t time.Time)
	close() error
}

// OpenDrive opens a drive: a folder, or an MCAP file, as docs/drive.md says.
// What it returns has been checked: drive.yaml strictly, every frame's name, a
// whole MCAP file. An error names the file and, where there is one, the line.
func OpenDrive(path string) (*Drive, error) {
	d, err := openDrive(path)
	if err != nil {
		return nil, fmt.Errorf("open drive %s: %w", path, err)
	}
	return d, nil
}

func openDrive(path string) (*Drive, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	d := &Drive{Path: path, pool: NewPool(drivePool)}
	switch {
	case st.IsDir():
		err = d.openFolder()
	case st.Mode().IsRegular():
		err = d.openMCAP()
	default:
		err = errors.New("neither a folder nor an MCAP file")
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Events returns the drive's events from its beginning: ordered by time, at
// the same time fixes (NMEA, Location) before frames, otherwise as recorded.
// Each call is a pass of its own with its own open files; memory does not grow
// with the length of the drive. The pass ends at the first error, which comes
// with a zero Event. Frames are the caller's to release.
func (d *Drive) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s, err := d.open()
		if err != nil {
			yield(Event{}, fmt.Errorf("read drive %s: %w", d.Path, err))
			return
		}
		defer s.close() // only read from
		for {
			ev, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Event{}, fmt.Errorf("read drive %s: %w", d.Path, err))
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// OrdersPath returns the path of the orders.geojson in the drive's folder, ""
// if there is none. An MCAP file holds its orders inside: see [Drive.Orders].
func (d *Drive) OrdersPath() string {
	return d.orders
}

// Orders returns the unsigned orders that lie in the drive, folder or MCAP, and
// nil if there are none.
func (d *Drive) Orders() ([]byte, error) {
	if d.attach != nil {
		return d.attach()
	}
	if d.orders == "" {
		return nil, nil
	}
	b, err := readFile(d.orders, maxOrders)
	if err != nil {
		return nil, fmt.Errorf("read orders of drive %s: %w", d.Path, err)
	}
	return b, nil
}

// readFile reads a whole regular file of at most limit bytes. Its errors begin
// with the file's base name.
func readFile(path string, limit int64) ([]byte, error) {
	f, n, err := openFile(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	b := make([]byte, n)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), cause(err))
	}
	return b, nil
}

// openFile opens a regular file of at most limit bytes and says how long it is.
func openFile(path string, limit int64) (*os.File, int64, error) {
	name := filepath.Base(path)
	// Asking first: opening a named pipe would wait for ever.
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, cause(err))
	}
	if !st.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", name)
	}
	if st.Size() > limit {
		return nil, 0, fmt.Errorf("%s: %d bytes, at most %d are accepted", name, st.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, cause(err))
	}
	return f, st.Size(), nil
}

// cause strips the operation and the path from a file error: the message that
// wraps it names the file already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
