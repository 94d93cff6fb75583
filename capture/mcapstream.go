package capture

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/foxglove/mcap/go/mcap"
)

// maxHeld is how many bytes of messages a pass holds back to put them in order.
const maxHeld = 128 << 20

// mcapStream is one pass over an MCAP drive.
type mcapStream struct {
	d        *Drive
	r        *mcapReader
	channels *mcapChannels
	use      map[uint16]mcapKind
	late     time.Duration
	from     time.Time
	newest   time.Time
	held     heldEvents
	bytes    int // in held
	count    uint64
	seq      uint64
	ended    bool
}

func (s *mcapStream) skipTo(t time.Time) { s.from = t }

func (s *mcapStream) close() error {
	for _, h := range s.held {
		h.Frame.Release()
	}
	s.held = nil
	return s.r.close()
}

func (s *mcapStream) next() (Event, error) {
	// An event may leave when none before it, or at its time, can come any more.
	for !s.ended && (len(s.held) == 0 || !s.held[0].At.Before(s.newest.Add(-s.late))) {
		rec, err := s.r.next()
		if errors.Is(err, io.EOF) {
			s.ended = true
			break
		}
		if err == nil {
			err = guarded(func() error { return s.record(rec) })
		}
		if err != nil {
			return Event{}, err
		}
	}
	if len(s.held) == 0 {
		return Event{}, io.EOF
	}
	h := heap.Pop(&s.held).(heldEvent)
	s.bytes -= h.size
	if h.kind == kindImage {
		s.seq++
		if h.Frame != nil {
			h.Frame.Seq = s.seq
		}
	}
	return h.Event, nil
}

func (s *mcapStream) record(rec mcapRecord) error {
	if rec.op == mcap.OpSchema || rec.op == mcap.OpChannel {
		return s.channels.declare(rec)
	}
	if rec.op != mcap.OpMessage {
		return nil
	}
	m, ch, err := s.channels.message(rec)
	if err != nil {
		return err
	}
	kind := s.use[m.ChannelID]
	if kind == kindOther || kind != ch.kind {
		return nil
	}
	h := heldEvent{kind: kind, order: s.count, size: len(m.Data)}
	h.At = time.Unix(0, int64(m.LogTime)).UTC()
	s.count++
	if h.At.After(s.newest) {
		s.newest = h.At
	}
	if kind == kindImage && h.At.Before(s.from) {
		s.seq++
		return nil
	}
	if err := s.decode(&h.Event, ch, m.Data); err != nil {
		return fmt.Errorf("message at byte %d on %s: %w", rec.off, ch.topic, err)
	}
	heap.Push(&s.held, h)
	if s.bytes += h.size; s.bytes > maxHeld {
		return fmt.Errorf("messages out of order hold more than %d bytes; `mcap sort` mends that", maxHeld)
	}
	return nil
}

func (s *mcapStream) decode(ev *Event, ch *mcapChannel, data []byte) (err error) {
	switch ch.kind {
	case kindNMEA:
		ev.NMEA, err = decodeNMEA(ch.encoding, data)
	case kindLocation:
		ev.Location, err = decodeLocation(ch.encoding, data)
	case kindImage:
		var m compressedImage
		if m, err = decodeImage(ch.encoding, data); err == nil {
			ev.Frame, err = s.d.pool.read(bytes.NewReader(m.Data), len(m.Data))
		}
		if errors.Is(err, ErrDamaged) {
			ev.Damaged = fmt.Errorf("%s at %s: %w", ch.topic, ev.At.Format(time.RFC3339Nano), err)
			return nil
		}
		if err == nil {
			ev.Frame.At = ev.At
		}
	}
	return err
}

// heldEvent waits in a pass until nothing earlier can come.
type heldEvent struct {
	Event
	kind  mcapKind
	order uint64
	size  int
}

// heldEvents is a heap: by time, then fixes before frames, then as recorded.
type heldEvents []heldEvent

func (h heldEvents) Len() int      { return len(h) }
func (h heldEvents) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heldEvents) Push(x any)   { *h = append(*h, x.(heldEvent)) }

func (h *heldEvents) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = heldEvent{}
	*h = slices.Delete(*h, last, last+1)
	return x
}

func (h heldEvents) Less(i, j int) bool {
	if !h[i].At.Equal(h[j].At) {
		return h[i].At.Before(h[j].At)
	}
	if h[i].kind != h[j].kind {
		return h[i].kind < h[j].kind
	}
	return h[i].order < h[j].order
}
