package uvcsim

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"net"
	"slices"
	"testing"
	"time"
)

// host is the other end of the cable: what QEMU and uvcvideo do with a camera.
type host struct {
	t    *testing.T
	conn net.Conn
	next uint64 // id of the next request
}

// plugged returns a camera with two pictures, plugged into a host that has greeted it.
func plugged(t *testing.T) (*Camera, *host, [][]byte) {
	t.Helper()
	ours, theirs := net.Pipe()
	var film Film
	for _, grey := range []byte{40, 200} {
		im := image.NewGray(image.Rect(0, 0, 64, 48))
		for i := range im.Pix {
			im.Pix[i] = grey ^ byte(i) // noise, so that it takes several transfers
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, im, &jpeg.Options{Quality: 100}); err != nil {
			t.Fatal(err)
		}
		film.Pictures = append(film.Pictures, b.Bytes())
	}
	c, err := newCamera(ours, film)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, conn: theirs}
	t.Cleanup(func() {
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
		_ = c.Unplug() // a test may have done so
	})
	p, err := readPacket(theirs, true)
	if err != nil || p.kind != packetHello {
		t.Fatalf("the camera begins with %+v (%v), want a hello", p, err)
	}
	h.send(hello())
	for _, want := range []uint32{packetInterfaces, packetEndpoints, packetConnect} {
		if p := h.receive(); p.kind != want {
			t.Fatalf("after the hello: packet of type %d, want %d", p.kind, want)
		}
	}
	return c, h, film.Pictures
}

func (h *host) send(p packet) {
	h.t.Helper()
	if err := h.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.Write(p.encode()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) receive() packet {
	h.t.Helper()
	p, err := readPacket(h.conn, false)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// control makes a control transfer and returns its outcome and data.
func (h *host) control(kind, code byte, value, index uint16, data []byte, length int) (byte, []byte) {
	h.t.Helper()
	h.next++
	body := append([]byte{0, code, kind, 0}, halves(value, index, uint16(length))...)
	h.send(packet{kind: packetControl, id: h.next, body: append(body, data...)})
	p := h.receive()
	if p.kind != packetControl || p.id != h.next {
		h.t.Fatalf("packet of type %d with id %d, want the answer to %d", p.kind, p.id, h.next)
	}
	return p.body[3], p.body[10:]
}

// stream commits what the driver commits: an interval in units of 100 ns.
func (h *host) stream(interval uint32) {
	h.t.Helper()
	wish := make([]byte, parametersSize)
	binary.LittleEndian.PutUint32(wish[4:], interval)
	for _, selector := range []uint16{selectProbe, selectCommit} {
		if outcome, _ := h.control(kindToInterface, setCurrent, selector<<8, 1, wish, len(wish)); outcome != outcomeOK {
			h.t.Fatalf("selector %d: outcome %d, want 0", selector, outcome)
		}
	}
}

func (h *host) stop() {
	h.t.Helper()
	if outcome, _ := h.control(kindToEndpoint, clearFeature, 0, bulkIn, nil, 0); outcome != outcomeOK {
		h.t.Fatalf("clear halt: outcome %d, want 0", outcome)
	}
}

// payload asks for a piece of a picture.
func (h *host) payload(room uint16) packet {
	h.t.Helper()
	h.next++
	h.send(packet{kind: packetBulk, id: h.next, body: slices.Concat([]byte{bulkIn, 0}, halves(room), words(0), halves(0))})
	return h.receive()
}

// picture reads payloads up to the end of a picture.
func (h *host) picture() (data []byte, toggle byte) {
	h.t.Helper()
	for range 1000 {
		p := h.payload(512)
		head := p.body[10:]
		data = append(data, head[headerBytes:]...)
		if head[1]&headerLast != 0 {
			return data, head[1] & headerToggle
		}
	}
	h.t.Fatal("a picture without an end")
	return nil, 0
}

func TestPicturesArriveInOrder(t *testing.T) {
	c, h, pictures := plugged(t)
	if c.Streaming() || len(c.Events(time.Time{})) > 0 {
		t.Fatalf("a camera that nobody has started streams: %v", c.Events(time.Time{}))
	}
	h.stream(intervals[0])
	last := byte(255)
	for n := range 4 {
		got, toggle := h.picture()
		if !bytes.Equal(got, pictures[n%2]) {
			t.Errorf("picture %d: %d bytes that are not the film's %d", n, len(got), len(pictures[n%2]))
		}
		if toggle == last {
			t.Errorf("picture %d: toggle %d again", n, toggle)
		}
		last = toggle
	}
	h.stop()
	events := c.Events(time.Time{})
	if len(events) != 2 || !events[0].On || events[1].On || events[1].At.Before(events[0].At) || c.Streaming() {
		t.Errorf("events %v, streaming %t; want one start, one end", events, c.Streaming())
	}
	if later := c.Events(events[0].At); len(later) != 1 || later[0].On {
		t.Errorf("events after the first: %v, want the end", later)
	}
}

func TestTheDriverGetsWhatThereIs(t *testing.T) {
	_, h, _ := plugged(t)
	wish := make([]byte, parametersSize)
	wish[2], wish[3] = 7, 9                            // a format and a size that there are not
	binary.LittleEndian.PutUint32(wish[4:], 1_500_000) // 6.7 pictures a second
	h.control(kindToInterface, setCurrent, selectProbe<<8, 1, wish, len(wish))
	_, got := h.control(kindFromInterface, getCurrent, selectProbe<<8, 1, nil, parametersSize)
	if len(got) != parametersSize || got[2] != 1 || got[3] != 1 || binary.LittleEndian.Uint32(got[4:]) != 1_000_000 {
		t.Errorf("negotiated % x; want format 1, size 1, 10 pictures a second", got)
	}
	if outcome, data := h.control(kindFromInterface, getCurrent, 0x0200, 0, nil, 4); outcome != outcomeStall || len(data) > 0 {
		t.Errorf("an unknown control: outcome %d, % x; want a stall", outcome, data)
	}
	if outcome, _ := h.control(kindFromDevice, getDescriptor, 0x0f00, 0, nil, 64); outcome != outcomeStall {
		t.Errorf("an unknown descriptor: outcome %d, want a stall", outcome)
	}
}

// TestDescriptors walks through the configuration as a driver does: each length must
// lead to the next descriptor, and the totals must be those of what follows.
func TestDescriptors(t *testing.T) {
	_, h, _ := plugged(t)
	_, short := h.control(kindFromDevice, getDescriptor, 0x0200, 0, nil, 9)
	total := int(binary.LittleEndian.Uint16(short[2:]))
	_, all := h.control(kindFromDevice, getDescriptor, 0x0200, 0, nil, 4096)
	if len(short) != 9 || len(all) != total {
		t.Fatalf("%d bytes of 9, %d of %d", len(short), len(all), total)
	}
	kinds := map[byte]int{}
	videoControl, videoStream, inStream := 0, 0, false
	for rest := all; len(rest) > 0; rest = rest[rest[0]:] {
		if rest[0] < 2 || int(rest[0]) > len(rest) {
			t.Fatalf("a descriptor of %d bytes where %d are left", rest[0], len(rest))
		}
		kinds[rest[1]]++
		switch {
		case rest[1] == 4:
			inStream = rest[2] == 1
		case rest[1] == 0x24 && inStream:
			videoStream += int(rest[0])
		case rest[1] == 0x24:
			videoControl += int(rest[0])
		}
	}
	if kinds[2] != 1 || kinds[4] != 2 || kinds[5] != 1 || kinds[0x0b] != 1 {
		t.Errorf("descriptors by type: %v", kinds)
	}
	for name, c := range map[string]struct {
		head []byte
		sum  int
		at   int
	}{
		"control": {[]byte{0x24, 0x01, 0x00, 0x01}, videoControl, 4},
		"stream":  {[]byte{0x24, 0x01, 0x01}, videoStream, 3},
	} {
		i := bytes.Index(all, c.head)
		if got := int(binary.LittleEndian.Uint16(all[i+c.at:])); i < 0 || got != c.sum {
			t.Errorf("%s interface: a total of %d bytes, want %d", name, got, c.sum)
		}
	}
	_, name := h.control(kindFromDevice, getDescriptor, 0x0302, 0x0409, nil, 255)
	if got := string(bytes.ReplaceAll(name[2:], []byte{0}, nil)); got != Name {
		t.Errorf("name %q, want %q", got, Name)
	}
}

// TestFreezeAndCorrupt: a frozen camera answers and gives nothing; a corrupt one gives
// half.
func TestFreezeAndCorrupt(t *testing.T) {
	c, h, pictures := plugged(t)
	h.stream(intervals[0])
	h.picture()
	c.Freeze(true)
	h.next++
	asked := h.next
	h.send(packet{kind: packetBulk, id: asked, body: slices.Concat([]byte{bulkIn, 0}, halves(512), words(0), halves(0))})
	if outcome, _ := h.control(kindFromDevice, getStatus, 0, 0, nil, 2); outcome != outcomeOK {
		t.Errorf("a frozen camera answers with outcome %d, want 0", outcome)
	}
	if err := h.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if p, err := readPacket(h.conn, false); err == nil {
		t.Errorf("a frozen camera gives %d bytes", len(p.body))
	}
	h.send(packet{kind: packetCancel, id: asked})
	if p := h.receive(); p.id != asked || p.body[1] != outcomeCancelled {
		t.Errorf("packet %+v, want the cancelled %d", p, asked)
	}
	c.Corrupt(true)
	c.Freeze(false)
	got, _ := h.picture()
	if !bytes.Equal(got, pictures[0][:len(pictures[0])/2]) && !bytes.Equal(got, pictures[1][:len(pictures[1])/2]) {
		t.Errorf("a corrupt camera gives %d bytes, want half of a picture", len(got))
	}
}

func TestUnplugEndsEverything(t *testing.T) {
	c, h, _ := plugged(t)
	h.stream(intervals[0])
	done := make(chan error)
	go func() { done <- c.Unplug() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Unplug does not return while the driver streams")
	}
	if _, err := readPacket(h.conn, false); err == nil {
		t.Error("an unplugged camera speaks")
	}
}

func TestARequestForTooLittleIsRefused(t *testing.T) {
	_, h, _ := plugged(t)
	h.stream(intervals[0])
	if p := h.payload(headerBytes); p.body[1] != outcomeStall {
		t.Errorf("outcome %d for room of %d bytes, want a stall", p.body[1], headerBytes)
	}
}

func TestFilmWithoutPicture(t *testing.T) {
	for name, film := range map[string]Film{"none": {}, "no JPEG": {Pictures: [][]byte{[]byte("GIF89a")}}} {
		ours, theirs := net.Pipe()
		if _, err := newCamera(ours, film); err == nil {
			t.Errorf("%s: a camera without a picture to show", name)
		}
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
	}
}
