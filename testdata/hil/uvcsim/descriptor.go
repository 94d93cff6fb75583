package uvcsim

import (
	"encoding/binary"
	"slices"
)

// Name is what the camera calls itself; the driver shows it as the name of its node.
const Name = "HIL UVC Camera"

const (
	vendorID   = 0x1d6b // Linux Foundation
	productID  = 0x0102 // its webcam gadget
	classVideo = 0x0e
	bulkIn     = 0x81 // the one endpoint, into the host
	bulkPacket = 512  // bytes of a packet on it
)

// intervals are the times between two pictures that the camera offers, in units of
// 100 ns: 30, 15, 10 and 5 pictures a second.
var intervals = [...]uint32{333333, 666666, 1000000, 2000000}

// descriptor puts a descriptor's length before it.
func descriptor(parts ...[]byte) []byte {
	b := slices.Concat(parts...)
	return append([]byte{byte(len(b) + 1)}, b...)
}

func deviceDescriptor() []byte {
	return descriptor([]byte{1, 0x00, 0x02, 0xef, 2, 1, 64}, halves(vendorID, productID, 0x0010), []byte{1, 2, 3, 1})
}

// configuration describes a camera with pictures of one size.
func configuration(width, height int) []byte {
	// The control interface: a lens, and a way from it to the host.
	lens := descriptor([]byte{0x24, 0x02, 1}, halves(0x0201), []byte{0, 0}, halves(0, 0, 0), []byte{3, 0, 0, 0})
	usb := descriptor([]byte{0x24, 0x03, 2}, halves(0x0101), []byte{0, 1, 0})
	control := descriptor([]byte{0x24, 0x01}, halves(0x0100, uint16(13+len(lens)+len(usb))), words(48_000_000), []byte{1, 1})

	format := descriptor([]byte{0x24, 0x06, 1, 1, 1, 1, 0, 0, 0, 0})
	most := uint32(frameBytes(width, height))
	frame := descriptor([]byte{0x24, 0x07, 1, 0}, halves(uint16(width), uint16(height)),
		words(most*8*5, most*8*30, most, intervals[0]), []byte{byte(len(intervals))}, words(intervals[:]...))
	colours := descriptor([]byte{0x24, 0x0d, 1, 1, 4})
	pictures := slices.Concat(format, frame, colours)
	input := descriptor([]byte{0x24, 0x01, 1}, halves(0), []byte{bulkIn, 0, 2, 0, 0, 0, 1, 0})
	binary.LittleEndian.PutUint16(input[4:], uint16(len(input)+len(pictures)))

	body := slices.Concat(
		descriptor([]byte{0x0b, 0, 2, classVideo, 3, 0, 0}), // both interfaces are one function
		descriptor([]byte{4, 0, 0, 0, classVideo, 1, 0, 0}), control, lens, usb,
		descriptor([]byte{4, 1, 0, 1, classVideo, 2, 0, 0}), input, pictures,
		descriptor([]byte{5, bulkIn, 2}, halves(bulkPacket), []byte{0}),
	)
	return slices.Concat([]byte{9, 2}, halves(uint16(9+len(body))), []byte{2, 1, 0, 0x80, 250}, body)
}

// frameBytes is more than a JPEG of that size takes.
func frameBytes(width, height int) int { return width * height * 2 }

// text is a string descriptor; 0 lists the languages, which is English.
func text(index byte) []byte {
	if index == 0 {
		return descriptor([]byte{3}, halves(0x0409))
	}
	texts := []string{"gadeblik", Name, "HIL0001"}
	if int(index) > len(texts) {
		return nil
	}
	b := []byte{3}
	for _, c := range texts[index-1] {
		b = append(b, halves(uint16(c))...)
	}
	return descriptor(b)
}
