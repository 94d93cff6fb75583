package blur

import "image"

// reduced returns img with each k x k samples of a plane replaced by their mean.
func reduced(img *image.YCbCr, k int) *image.YCbCr {
	if k == 1 {
		return img
	}
	size := img.Rect.Size()
	out := image.NewYCbCr(image.Rect(0, 0, ceilDiv(size.X, k), ceilDiv(size.Y, k)), img.SubsampleRatio)
	from, to := planesOf(img), planesOf(out)
	for i := range to {
		for y := range to[i].h {
			row := to[i].row(y)
			for x := range row {
				total, n := from[i].sum(image.Rect(x*k, y*k, min((x+1)*k, from[i].w), min((y+1)*k, from[i].h)))
				row[x] = uint8((total + n/2) / n)
			}
		}
	}
	return out
}
