package blur

import (
	"bytes"
	"image"
	"slices"
)

// Image is a redacted picture. Only [Redact] makes one; the zero value has no
// picture, no size and no regions. It may be used by many goroutines at once and
// never changes, unless it is given away to be written over: see [Request.Into].
type Image struct {
	jpeg    []byte
	bounds  image.Rectangle
	regions []Region
	offset  image.Point
}

// JPEG returns a copy of the picture as a baseline JPEG of the segments SOI, DQT,
// SOF0, DHT, SOS and EOI, and nil for the zero value. It has the subsampling of
// the source; 4:2:0 where the source could not be spliced.
func (m *Image) JPEG() []byte { return bytes.Clone(m.jpeg) }

// AppendJPEG appends to dst what JPEG returns.
func (m *Image) AppendJPEG(dst []byte) []byte { return append(dst, m.jpeg...) }

// Bounds returns the size of the picture; it begins at (0,0).
func (m *Image) Bounds() image.Rectangle { return m.bounds }

// Regions returns a copy of the regions as they were applied, in the order of
// the request and in the coordinates of this picture: grown by the margin,
// aligned outward to the MCU grid and clipped to the picture. Those that a crop
// cut off are left out.
func (m *Image) Regions() []Region { return slices.Clone(m.regions) }

// Offset returns where in the source the top left pixel of this picture lies.
// It differs from (0,0) only in a [Crop].
func (m *Image) Offset() image.Point { return m.offset }
