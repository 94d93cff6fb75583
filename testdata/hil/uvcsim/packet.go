package uvcsim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Packet types of the usbredir protocol, version 0.7.
const (
	packetHello            = 0
	packetConnect          = 1
	packetReset            = 3
	packetInterfaces       = 4
	packetEndpoints        = 5
	packetSetConfiguration = 6
	packetGetConfiguration = 7
	packetConfiguration    = 8
	packetSetAlternate     = 9
	packetGetAlternate     = 10
	packetAlternate        = 11
	packetCancel           = 21
	packetControl          = 100
	packetBulk             = 101
)

// What is to be announced: an xHCI bus takes devices only of peers that have these.
const (
	canConnectVersion = 1
	canMaxPacketSize  = 4
	can64BitIDs       = 5
	can32BitBulk      = 6
)

// Outcomes of a transfer.
const (
	outcomeOK        = 0
	outcomeCancelled = 1
	outcomeStall     = 4
)

// maxPacket is more than QEMU sends to a camera; a longer one is no usbredir.
const maxPacket = 1 << 20

// packet is one message of the protocol, its header's length left out.
type packet struct {
	kind uint32
	id   uint64
	body []byte
}

// readPacket reads a packet. Ids have 32 bits in the first of a connection, the hello,
// and 64 bits in all others.
func readPacket(r io.Reader, hello bool) (packet, error) {
	header := make([]byte, headerSize(hello))
	if _, err := io.ReadFull(r, header); err != nil {
		return packet{}, err
	}
	le := binary.LittleEndian
	p := packet{kind: le.Uint32(header), id: uint64(le.Uint32(header[8:]))}
	if !hello {
		p.id = le.Uint64(header[8:])
	}
	size := le.Uint32(header[4:])
	if size > maxPacket {
		return packet{}, fmt.Errorf("read usbredir packet of type %d: %d bytes, at most %d", p.kind, size, maxPacket)
	}
	p.body = make([]byte, size)
	_, err := io.ReadFull(r, p.body)
	return p, err
}

func headerSize(hello bool) int {
	if hello {
		return 12
	}
	return 16
}

// encode returns the packet as it goes over the wire.
func (p packet) encode() []byte {
	b := words(p.kind, uint32(len(p.body)), uint32(p.id))
	if p.kind != packetHello {
		b = append(b, words(uint32(p.id>>32))...)
	}
	return append(b, p.body...)
}

// hello says what the peer is and can do.
func hello() packet {
	name := make([]byte, 64)
	copy(name, "gadeblik uvcsim")
	return packet{kind: packetHello, body: slices.Concat(name, words(1<<canConnectVersion|1<<canMaxPacketSize|1<<can64BitIDs|1<<can32BitBulk))}
}

// introduction is what a peer sends of a device that is plugged in.
func introduction() []packet {
	none := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	// Interface 0 controls, interface 1 streams: class video, subclasses 1 and 2.
	numbers, classes, subclasses := none(0), none(0), none(0)
	numbers[1], classes[0], classes[1], subclasses[0], subclasses[1] = 1, classVideo, classVideo, 1, 2
	// Endpoints 0 to 15 go out, 16 to 31 come in. 255 is an endpoint that is not there.
	types, intervals, owners, sizes := none(255), none(0), none(0), make([]uint16, 32)
	types[0], types[16], sizes[0], sizes[16] = 0, 0, 64, 64
	types[16+1], owners[16+1], sizes[16+1] = 2, 1, bulkPacket
	const highSpeed = 2
	return []packet{
		{kind: packetInterfaces, body: slices.Concat(words(2), numbers, classes, subclasses, none(0))},
		{kind: packetEndpoints, body: slices.Concat(types, intervals, owners, halves(sizes...))},
		{kind: packetConnect, body: slices.Concat([]byte{highSpeed, 0xef, 2, 1}, halves(vendorID, productID, 0x0010))},
	}
}

// words and halves write numbers of 32 and 16 bits, lowest byte first.
func words(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func halves(numbers ...uint16) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return b
}
