package uplink

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// testFrames reads a stream in pieces of this many bytes.
func testFrames(stream []byte, limit, step int, acks *[][]byte) (*frames, *atomic.Uint64) {
	r, w := io.Pipe()
	go func() {
		for piece := range slices.Chunk(stream, step) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
		w.Close()
	}()
	n := &atomic.Uint64{}
	return &frames{in: bufio.NewReader(r), max: limit, oversized: n, answer: func(ack []byte) error {
		*acks = append(*acks, ack)
		return nil
	}}, n
}

// packet makes an MQTT packet.
func packet(first byte, body []byte) []byte {
	out := []byte{first}
	for n := len(body); ; {
		digit := byte(n & 0x7F)
		if n >>= 7; n == 0 {
			out = append(out, digit)
			break
		}
		out = append(out, digit|0x80)
	}
	return append(out, body...)
}

// published is a message as a broker sends it with QoS 1.
func published(number byte, payload int) []byte {
	return packet(0x32, append([]byte{0, 3, 'a', '/', 'b', 0x12, number}, make([]byte, payload)...))
}

func TestFramesSwallow(t *testing.T) {
	fits := published(1, 90)
	retained := packet(0x31, make([]byte, 5000)) // QoS 0: nobody waits
	exact := packet(0x32, make([]byte, 100))
	stream := slices.Concat(fits, published(2, 94), retained, packet(0xD0, nil), published(3, 300_000), exact, published(4, 94))
	var acks [][]byte
	f, n := testFrames(stream, 100, 7, &acks)
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(fits, packet(0xD0, nil), exact); !bytes.Equal(got, want) {
		t.Errorf("got %x\nwant %x", got, want)
	}
	if want := [][]byte{{0x40, 2, 0x12, 2}, {0x40, 2, 0x12, 3}, {0x40, 2, 0x12, 4}}; !slices.EqualFunc(acks, want, bytes.Equal) {
		t.Errorf("acknowledged %x, want %x", acks, want)
	}
	if n.Load() != 4 {
		t.Errorf("%d were too long, want 4", n.Load())
	}
}

// TestWireSwallows: the acknowledgement goes out on the connection, and the packet
// is counted.
func TestWireSwallows(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	w := newWire(t.Context(), ours, 100)
	defer w.end(net.ErrClosed)
	go theirs.Write(slices.Concat(published(7, 500), packet(0xD0, nil)))
	passed := make(chan []byte, 1)
	go func() {
		got := make([]byte, 2)
		io.ReadFull(w, got)
		passed <- got
	}()
	ack := make([]byte, 4)
	if _, err := io.ReadFull(theirs, ack); err != nil || !bytes.Equal(ack, []byte{0x40, 2, 0x12, 7}) {
		t.Errorf("acknowledged %x, %v", ack, err)
	}
	if got := <-passed; !bytes.Equal(got, []byte{0xD0, 0}) || w.oversized.Load() != 1 {
		t.Errorf("got %x, %d were too long", got, w.oversized.Load())
	}
}

func TestFramesEnd(t *testing.T) {
	var acks [][]byte
	f, _ := testFrames([]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}, 100, 1, &acks)
	if _, err := io.ReadAll(f); err == nil || err.Error() != "a packet's length is no length" {
		t.Errorf("got %v", err)
	}
	// A message that is cut off was not swallowed, and is not acknowledged.
	f, _ = testFrames(published(2, 500)[:400], 100, 9, &acks)
	if got, _ := io.ReadAll(f); len(got) != 0 || len(acks) != 0 {
		t.Errorf("got %x, %x", got, acks)
	}
	lost := errors.New("lost")
	f.in.Reset(iotest.ErrReader(lost))
	f.skip, f.ack, f.left = 0, nil, 0
	if _, err := f.Read(make([]byte, 9)); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}

// plainFrames is the same by the letter of the standard, with all of it at hand.
func plainFrames(stream []byte, limit int) (out []byte, acks [][]byte) {
	for len(stream) > 0 {
		length, shift, at := 0, 0, 1
		for {
			if at >= len(stream) || at > 4 {
				return out, acks
			}
			b := stream[at]
			at++
			length |= int(b&0x7F) << shift
			shift += 7
			if b < 0x80 {
				break
			}
		}
		body := stream[at:]
		if length <= limit {
			n := at + min(length, len(body))
			out = append(out, stream[:n]...)
			stream = stream[n:]
			continue
		}
		if len(body) < length {
			return out, acks
		}
		if first := stream[0]; first>>4 == 3 && first>>1&3 == 1 {
			if topic := int(body[0])<<8 | int(body[1]); topic+4 <= length {
				acks = append(acks, []byte{0x40, 2, body[topic+2], body[topic+3]})
			}
		}
		stream = body[length:]
	}
	return out, acks
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x30, 3, 1, 2, 3, 0xD0, 0}, uint8(1))
	f.Add([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, uint8(3))
	f.Add(slices.Concat(published(1, 10), published(2, 100), published(3, 20)), uint8(5))
	f.Add(packet(0x32, append([]byte{0xFF, 0xFF}, make([]byte, 100)...)), uint8(0))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		const limit = 50
		want, wantAcks := plainFrames(stream, limit)
		var acks [][]byte
		frames, _ := testFrames(stream, limit, int(step)+1, &acks)
		got, _ := io.ReadAll(frames)
		if !bytes.Equal(got, want) || !slices.EqualFunc(acks, wantAcks, bytes.Equal) {
			t.Errorf("got %x, acknowledged %x\nwant %x, %x", got, acks, want, wantAcks)
		}
	})
}
