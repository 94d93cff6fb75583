package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foxglove/mcap/go/mcap"
)

const (
	metadataDrive    = "gadeblik.drive"
	attachmentOrders = "orders.geojson"

	// maxLate is how far out of order the messages of a file may lie: a pass
	// holds that much time back.
	maxLate = 10 * time.Second
)

// mcapKind is what a channel is to a drive. Larger kinds come later at the
// same time.
type mcapKind uint8

const (
	kindOther mcapKind = iota
	kindNMEA
	kindLocation
	kindImage
)

type mcapChannel struct {
	kind     mcapKind
	topic    string
	encoding string
	messages int
}

// mcapChannels are the channels declared so far in a pass.
type mcapChannels struct {
	schemas  map[uint16]string
	channels map[uint16]*mcapChannel
	order    []uint16 // channels as they were declared
}

func newMCAPChannels() *mcapChannels {
	return &mcapChannels{schemas: make(map[uint16]string), channels: make(map[uint16]*mcapChannel)}
}

// declare takes schema and channel records into account. Both are repeated in
// a file; the first of an id counts.
func (c *mcapChannels) declare(rec mcapRecord) error {
	if rec.op == mcap.OpSchema {
		s, err := mcap.ParseSchema(rec.body)
		if err != nil {
			return fmt.Errorf("schema at byte %d: %w", rec.off, err)
		}
		if _, known := c.schemas[s.ID]; !known && len(c.schemas) < maxChannels {
			c.schemas[s.ID] = strings.Clone(clip(s.Name))
		}
		return nil
	}
	ch, err := mcap.ParseChannel(rec.body)
	if err != nil {
		return fmt.Errorf("channel at byte %d: %w", rec.off, err)
	}
	if c.channels[ch.ID] != nil {
		return nil
	}
	if len(c.channels) >= maxChannels {
		return fmt.Errorf("more than %d channels", maxChannels)
	}
	c.channels[ch.ID] = &mcapChannel{
		kind:     kindOf(c.schemas[ch.SchemaID], ch.MessageEncoding),
		topic:    plain(ch.Topic),
		encoding: ch.MessageEncoding,
	}
	c.order = append(c.order, ch.ID)
	return nil
}

func kindOf(schema, encoding string) mcapKind {
	open := encoding == encodingJSON || encoding == encodingProto
	switch {
	case schema == schemaImage && open:
		return kindImage
	case schema == schemaLocation && open:
		return kindLocation
	case encoding == encodingNMEA, schema == schemaNMEA && encoding == encodingJSON:
		return kindNMEA
	}
	return kindOther
}

// pick returns the channel of a kind that a drive uses: the first with
// messages. The others are returned as well, to be named.
func (c *mcapChannels) pick(k mcapKind) (id uint16, found bool, rest []string) {
	for _, i := range c.order {
		ch := c.channels[i]
		if ch.kind != k || ch.messages == 0 {
			continue
		}
		if !found {
			id, found = i, true
			continue
		}
		rest = append(rest, ch.topic)
	}
	return id, found, rest
}

// mcapScan is what a first pass over the whole file finds out.
type mcapScan struct {
	*mcapChannels
	first, last time.Time            // of all messages that may be used
	frames      map[uint16]time.Time // the last message by image channel
	late        time.Duration        // the furthest that a message lies behind a later one
	info        *driveInfo           // of the metadata record, nil without
	orders      []byte
}

func scanMCAP(path string) (*mcapScan, error) {
	r, err := openMCAPReader(path)
	if err != nil {
		return nil, err
	}
	defer r.close() // only read from
	s := &mcapScan{mcapChannels: newMCAPChannels(), frames: make(map[uint16]time.Time)}
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = guarded(func() error { return s.record(rec) })
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *mcapScan) record(rec mcapRecord) error {
	switch rec.op {
	case mcap.OpSchema, mcap.OpChannel:
		return s.declare(rec)
	case mcap.OpMessage:
		m, ch, err := s.message(rec)
		if err != nil || ch.kind == kindOther {
			return err
		}
		ch.messages++
		at := time.Unix(0, int64(m.LogTime)).UTC()
		if s.first.IsZero() || at.Before(s.first) {
			s.first = at
		}
		s.late = max(s.late, s.last.Sub(at))
		if at.After(s.last) {
			s.last = at
		}
		if ch.kind == kindImage && at.After(s.frames[m.ChannelID]) {
			s.frames[m.ChannelID] = at
		}
	case mcap.OpMetadata:
		return s.metadata(rec)
	case mcap.OpAttachment:
		return s.attachment(rec)
	}
	return nil
}

// message parses a message record and finds its channel.
func (c *mcapChannels) message(rec mcapRecord) (mcap.Message, *mcapChannel, error) {
	var m mcap.Message
	if err := m.PopulateFrom(rec.body, false); err != nil {
		return m, nil, fmt.Errorf("message at byte %d: %w", rec.off, err)
	}
	ch := c.channels[m.ChannelID]
	if ch == nil {
		return m, nil, fmt.Errorf("message at byte %d: channel %d was not declared before", rec.off, m.ChannelID)
	}
	if ch.kind == kindOther {
		return m, ch, nil
	}
	if m.LogTime > math.MaxInt64 || time.Unix(0, int64(m.LogTime)).UTC().Year() < minYear {
		return m, nil, fmt.Errorf("message at byte %d on %s: log time %d ns is no UTC", rec.off, ch.topic, m.LogTime)
	}
	return m, ch, nil
}

// metadata reads our own metadata record, which holds what drive.yaml does.
func (s *mcapScan) metadata(rec mcapRecord) error {
	m, err := mcap.ParseMetadata(rec.body)
	if err != nil {
		return fmt.Errorf("metadata at byte %d: %w", rec.off, err)
	}
	if m.Name != metadataDrive {
		return nil
	}
	info := &driveInfo{name: m.Metadata["name"], track: m.Metadata["track"], source: m.Metadata["source"], frames: -1}
	info.mount.Position = m.Metadata["mount"]
	for _, t := range []string{info.name, info.track, info.source, info.mount.Position} {
		if len(t) > maxText || !printable(t) {
			return fmt.Errorf("metadata %s at byte %d: %q is not one line of text", metadataDrive, rec.off, clip(t))
		}
	}
	if info.started, err = parseUTC(m.Metadata["started"]); err != nil {
		return fmt.Errorf("metadata %s at byte %d: started: must be a time in UTC (got %q)", metadataDrive, rec.off, clip(m.Metadata["started"]))
	}
	for _, n := range []struct {
		key string
		to  *float64
	}{{"height_m", &info.mount.HeightM}, {"pitch_deg", &info.mount.PitchDeg}, {"hfov_deg", &info.mount.HFovDeg}} {
		text := m.Metadata[n.key]
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(math.Abs(v) <= 360) { // NaN too
			return fmt.Errorf("metadata %s at byte %d: %s: must be a number of at most 360 (got %q)", metadataDrive, rec.off, n.key, clip(text))
		}
		*n.to = v
	}
	s.info = info
	return nil
}

// attachment keeps the orders and passes over anything else.
func (s *mcapScan) attachment(rec mcapRecord) error {
	b := rec.body
	if len(b) < 16 { // too large to be ours, or damaged
		return nil
	}
	b = b[16:] // log time, create time
	var name, media []byte
	for _, f := range []*[]byte{&name, &media} {
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return fmt.Errorf("attachment at byte %d: cut off", rec.off)
		}
		n := int(binary.LittleEndian.Uint32(b))
		*f, b = b[4:4+n], b[4+n:]
	}
	if string(name) != attachmentOrders {
		return nil
	}
	if len(b) < 12 || binary.LittleEndian.Uint64(b) != uint64(len(b)-12) || len(b)-12 > maxOrders {
		return fmt.Errorf("attachment %s at byte %d: cut off or over %d bytes", name, rec.off, maxOrders)
	}
	data, rest := b[8:len(b)-4], len(rec.body)-4
	if sum := binary.LittleEndian.Uint32(rec.body[rest:]); sum != 0 && sum != crc32.ChecksumIEEE(rec.body[:rest]) {
		return fmt.Errorf("attachment %s at byte %d: checksum does not fit", name, rec.off)
	}
	s.orders = bytes.Clone(data)
	return nil
}

// openMCAP opens a drive that is an MCAP file, after one pass over all of it.
func (d *Drive) openMCAP() error {
	s, err := scanMCAP(d.Path)
	if err != nil {
		return err
	}
	image, ok, others := s.pick(kindImage)
	if !ok {
		return fmt.Errorf("no %s message in json or protobuf", schemaImage)
	}
	d.passedOver(schemaImage, others)
	d.Frames = s.channels[image].messages
	if s.late > maxLate {
		return fmt.Errorf("messages lie up to %s out of order, at most %s is accepted; `mcap sort` mends that", s.late, maxLate)
	}
	use := map[uint16]mcapKind{image: kindImage}
	nmea, hasNMEA, others := s.pick(kindNMEA)
	d.passedOver(schemaNMEA, others)
	location, hasLocation, others := s.pick(kindLocation)
	d.passedOver(schemaLocation, others)
	switch {
	case hasNMEA:
		// Both say the same; NMEA says more (HDOP, satellites, validity).
		use[nmea] = kindNMEA
	case hasLocation:
		use[location] = kindLocation
	default:
		d.warn("no positions: neither %s nor %s", schemaNMEA, schemaLocation)
	}
	d.describe(s)
	d.Length = s.frames[image].Sub(d.Started)
	if s.orders != nil {
		d.attach = func() ([]byte, error) { return bytes.Clone(s.orders), nil }
	}
	late := s.late
	d.open = func() (driveStream, error) {
		r, err := openMCAPReader(d.Path)
		if err != nil {
			return nil, err
		}
		return &mcapStream{d: d, r: r, channels: newMCAPChannels(), use: use, late: late}, nil
	}
	return nil
}

func (d *Drive) passedOver(schema string, topics []string) {
	if len(topics) > 0 {
		d.warn("%s on %s is not used: a drive has one such channel", schema, strings.Join(topics[:min(len(topics), 5)], ", "))
	}
}

// describe fills in what drive.yaml would say.
func (d *Drive) describe(s *mcapScan) {
	d.Name = strings.TrimSuffix(filepath.Base(d.Path), filepath.Ext(d.Path))
	d.Started = s.first
	if s.info == nil {
		return
	}
	d.Track, d.Source, d.Mount = s.info.track, s.info.source, s.info.mount
	if s.info.name != "" {
		d.Name = s.info.name
	}
	if s.info.started.After(s.first) {
		d.warn("started is %s, the first message is of %s, which counts", s.info.started.Format(time.RFC3339), s.first.Format(time.RFC3339))
		return
	}
	d.Started = s.info.started
}
