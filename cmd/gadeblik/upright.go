package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
)

const (
	// asStored is the orientation of a picture that lies as it is looked at.
	asStored = 1
	// turnedQuality keeps what is lost by turning below what is lost by redacting.
	turnedQuality = 96
	// maxTurned is what package blur takes at most; it refuses more in its own words.
	maxTurned = 1 << 25
)

// upright returns a picture as people look at it. Telephones store what they see
// lying on its side and say in the EXIF data how to turn it; that is lost in
// redacting, and no model finds people who lie on their side. A picture that has to
// be turned is encoded once more, in memory.
func upright(raw []byte) ([]byte, error) {
	o := orientation(raw)
	if o == asStored {
		return raw, nil
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(raw))
	if err != nil || cfg.Width*cfg.Height > maxTurned {
		return raw, nil // opening it says what is wrong with it
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("turn upright: %w", err)
	}
	flat := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(flat, flat.Rect, img, img.Bounds().Min, draw.Src)
	turned := turn(flat, o)
	defer clear(flat.Pix)
	defer clear(turned.Pix)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, turned, &jpeg.Options{Quality: turnedQuality}); err != nil {
		return nil, fmt.Errorf("turn upright: %w", err)
	}
	return b.Bytes(), nil
}

// turn applies an EXIF orientation: 2 to 4 are mirrored or upside down, 5 to 8 lie
// on their side as well.
func turn(src *image.RGBA, orientation int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	onSide := orientation >= 5
	flipX := orientation == 2 || orientation == 3 || orientation >= 7
	flipY := orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
	size := image.Pt(w, h)
	if onSide {
		size = image.Pt(h, w)
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			sx, sy := x, y
			if onSide {
				sx, sy = y, x
			}
			if flipX {
				sx = w - 1 - sx
			}
			if flipY {
				sy = h - 1 - sy
			}
			copy(dst.Pix[y*dst.Stride+4*x:][:4], src.Pix[sy*src.Stride+4*sx:])
		}
	}
	return dst
}

// orientation returns what the EXIF data of a JPEG says about how it lies, 1 to 8; 1
// where it says nothing that can be understood.
func orientation(raw []byte) int {
	const app1, scan = 0xE1, 0xDA
	for at := 2; at+4 <= len(raw) && raw[at] == 0xFF && raw[at+1] != scan; {
		if raw[at+1] == 0xFF { // padding
			at++
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(raw[at+2:]))
		if end > len(raw) || end < at+4 {
			return asStored
		}
		if tiff, ok := bytes.CutPrefix(raw[at+4:end], []byte("Exif\x00\x00")); ok && raw[at+1] == app1 {
			return orientationTag(tiff)
		}
		at = end
	}
	return asStored
}

// orientationTag reads the tag out of the first directory of a TIFF file.
func orientationTag(tiff []byte) int {
	const header, tag, entryBytes = 8, 0x0112, 12
	if len(tiff) < header {
		return asStored
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return asStored
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entryBytes {
			break
		}
		if order.Uint16(entries) == tag {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
		entries = entries[entryBytes:]
	}
	return asStored
}
