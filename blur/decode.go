package blur

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// A progressive file has about ten scans; each one walks the whole picture
// however few bytes it has, so that a small file could keep us busy for hours.
const maxScans = 100

// decode takes the pixels of a JPEG over and returns the grid its regions lie on.
func (p *plain) decode(data []byte) (image.Point, error) {
	img, grid, err := decode(data)
	if err != nil {
		return image.Point{}, err
	}
	p.img = img
	return p.grid(grid), nil
}

// decode returns the planes of a JPEG and the subsampling of its largest blocks.
func decode(data []byte) (*image.YCbCr, image.YCbCrSubsampleRatio, error) {
	if err := checkJPEG(data); err != nil {
		return nil, 0, err
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	// The decoder says "short Huffman data" when the file ends within a code.
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, jpeg.FormatError("short Huffman data")) {
		return nil, 0, fmt.Errorf("the file of %d bytes ends early: %w", len(data), io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, 0, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return img, img.SubsampleRatio, nil
	case *image.Gray:
		return fromGray(img), image.YCbCrSubsampleRatio420, nil
	case *image.RGBA:
		// The decoder does not tell how the components were subsampled, so the
		// grid is that of the coarsest.
		return fromRGBA(img), image.YCbCrSubsampleRatio410, nil
	default:
		return nil, 0, fmt.Errorf("colour model of %T: want grey, YCbCr or RGB", img)
	}
}

// checkJPEG refuses what would cost much before a byte of the picture is read.
func checkJPEG(data []byte) error {
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file of %d bytes ends before the picture: %w", len(data), err)
	}
	if err != nil {
		return err
	}
	if cfg.ColorModel == color.CMYKModel {
		return errors.New("four components (CMYK): convert the picture to YCbCr")
	}
	if err := checkSize(cfg.Width, cfg.Height); err != nil {
		return err
	}
	// No coding spends less than one bit on a block of 8x8 pixels.
	if len(data)*8 < (cfg.Width/8)*(cfg.Height/8) {
		return fmt.Errorf("the file of %d bytes cannot hold a picture of %dx%d", len(data), cfg.Width, cfg.Height)
	}
	// Every marker that any parser may find is two such bytes, so counting bytes
	// is safe where parsing a hostile file might differ from the decoder's parsing.
	if n := bytes.Count(data, []byte{0xff, 0xda}); n > maxScans {
		return fmt.Errorf("%d scans: must be at most %d", n, maxScans)
	}
	if !bytes.Contains(data, []byte{0xff, 0xc4}) {
		return errors.New("no Huffman tables (DHT): insert the standard ones first")
	}
	return nil
}

// fromGray gives a grey picture neutral chroma. It zeroes the original.
func fromGray(g *image.Gray) *image.YCbCr {
	img := image.NewYCbCr(g.Rect, image.YCbCrSubsampleRatio420)
	for y := range g.Rect.Dy() {
		copy(img.Y[y*img.YStride:(y+1)*img.YStride], g.Pix[y*g.Stride:])
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	clear(g.Pix[:cap(g.Pix)])
	return img
}

// fromRGBA converts at full resolution. It zeroes the original.
func fromRGBA(m *image.RGBA) *image.YCbCr {
	img := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio444)
	for y := range m.Rect.Dy() {
		from, to := m.Pix[y*m.Stride:], y*img.YStride
		for x := range m.Rect.Dx() {
			img.Y[to+x], img.Cb[to+x], img.Cr[to+x] = color.RGBToYCbCr(from[4*x], from[4*x+1], from[4*x+2])
		}
	}
	clear(m.Pix[:cap(m.Pix)])
	return img
}
