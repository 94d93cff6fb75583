package uvcsim

import (
	"encoding/binary"
	"slices"
)

// request is a control transfer.
type request struct {
	code, kind           byte // bRequest, bmRequestType
	value, index, length uint16
	data                 []byte // what comes with it
}

// Kinds of requests: direction, whose request it is, and to whom.
const (
	kindFromDevice    = 0x80
	kindToEndpoint    = 0x02
	kindToInterface   = 0x21 // of a class
	kindFromInterface = 0xa1
)

const (
	getStatus     = 0x00
	clearFeature  = 0x01
	getDescriptor = 0x06
	setCurrent    = 0x01
	getCurrent    = 0x81
	getLength     = 0x85
	getInfo       = 0x86

	selectProbe  = 1
	selectCommit = 2
)

// parametersSize is the length of what driver and camera negotiate in UVC 1.00.
const parametersSize = 26

// maxPayload is how much of a picture one transfer takes, with its header.
const maxPayload = 16 << 10

// negotiate answers what the driver asks for with what it gets: the one format, the
// one size, and the nearest interval that is not shorter.
func (c *Camera) negotiate(wish []byte) []byte {
	p := make([]byte, parametersSize)
	copy(p, wish)
	p[2], p[3] = 1, 1
	le := binary.LittleEndian
	asked, interval := le.Uint32(p[4:]), intervals[0]
	for _, i := range intervals {
		if asked >= i {
			interval = i
		}
	}
	le.PutUint32(p[4:], interval)
	le.PutUint32(p[18:], uint32(frameBytes(c.width, c.height)))
	le.PutUint32(p[22:], maxPayload)
	return p
}

// control answers a control transfer; nil and false is a stall, which tells the driver
// that the camera does not know such a thing.
func (c *Camera) control(r request) ([]byte, bool) {
	switch {
	case r.kind == kindFromDevice && r.code == getDescriptor:
		return c.describe(byte(r.value>>8), byte(r.value), int(r.length))
	case r.kind == kindFromDevice && r.code == getStatus:
		return []byte{0, 0}, true
	case r.kind == kindToEndpoint && r.code == clearFeature:
		c.streams(false, 0)
		return nil, true
	case r.index&0xff != 1: // the control interface has nothing to set
		return nil, false
	}
	selector := r.value >> 8
	if selector != selectProbe && selector != selectCommit {
		return nil, false
	}
	switch {
	case r.kind == kindToInterface && r.code == setCurrent:
		c.parameters = c.negotiate(r.data)
		if selector == selectCommit {
			c.streams(true, binary.LittleEndian.Uint32(c.parameters[4:]))
		}
		return nil, true
	case r.kind == kindFromInterface && r.code == getLength:
		return halves(parametersSize), true
	case r.kind == kindFromInterface && r.code == getInfo:
		return []byte{3}, true // can be read and set
	case r.kind == kindFromInterface: // current, lowest, highest, default: there is one
		return slices.Clone(c.parameters[:min(parametersSize, int(r.length))]), true
	}
	return nil, false
}

// describe returns a descriptor, cut to what was asked for.
func (c *Camera) describe(kind, index byte, length int) ([]byte, bool) {
	var d []byte
	switch kind {
	case 1:
		d = deviceDescriptor()
	case 2:
		d = configuration(c.width, c.height)
	case 3:
		d = text(index)
	}
	return d[:min(len(d), length)], d != nil
}
