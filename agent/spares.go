package agent

import "gadeblik/blur"

// spares are pictures that nobody uses any more: the next are made in their memory.
type spares []*blur.Image

const maxSpares = 2

func (s *spares) put(img *blur.Image) {
	if img != nil && len(*s) < maxSpares {
		*s = append(*s, img)
	}
}

// take returns nil where there is none.
func (s *spares) take() (img *blur.Image) {
	if n := len(*s) - 1; n >= 0 {
		img, *s = (*s)[n], (*s)[:n]
	}
	return img
}
