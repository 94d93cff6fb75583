//go:build figures && linux

package agent

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// redacted opens, redacts and closes the picture.
func redacted(data []byte) (*blur.Image, error) {
	src, err := blur.Open(data)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return blur.Redact(context.Background(), src, blur.Request{Regions: fiveRegions(), Context: blur.Full})
}

// appliedRegions are the five, grown and aligned as they are removed.
func appliedRegions(t *testing.T, data []byte) []blur.Region {
	t.Helper()
	img, err := redacted(data)
	if err != nil {
		t.Fatal(err)
	}
	return img.Regions()
}

func redactionFigures(t *testing.T) []row {
	data, from := figurePicture(t)
	return []row{
		redactRow(t, data, from),
		{
			what: "  with the index of a skim", bar: "≤ 0.08", result: notBuilt,
			note: "brought by redaction in the compressed domain, which keeps the index of the walk that fed the detector",
		},
		changedRow(t, data),
		{
			what: "quarter-scale skim with index / turbo full decode", bar: "≤ 0.75", result: notBuilt,
			note: "brought by redaction in the compressed domain",
		},
	}
}

func redactRow(t *testing.T, data []byte, from string) row {
	r := row{what: "redact JPEG to JPEG / turbo decode+fill+encode, CPU", bar: "≤ 0.35"}
	ref, whyNot := turbo(t, data, appliedRegions(t, data))
	if ref == nil {
		r.result, r.note = notMeasured, whyNot
		return r
	}
	costs := inTurns(t, 25, cpuOf(func() error {
		_, err := redacted(data)
		return err
	}), ref.costs("redact"), ref.costs("planes"))
	ours, usual, planes := costs[0], costs[1], costs[2]
	ratio := ours.over(usual)
	r.measured, r.result = ratio.with(2, ""), judged(ratio.median(), 0.35)
	r.note = fmt.Sprintf("%s, five regions: %s / %s by way of BGR; %.2f against the same on planes, %s%s",
		from, ours.ms(), usual.ms(), ours.over(planes).median(), planes.ms(),
		r.result.unless("the plain path decodes and encodes with image/jpeg; redaction in the compressed domain does neither"))
	return r
}

// changedRow counts the samples outside the regions that are not what they were.
func changedRow(t *testing.T, data []byte) row {
	img, err := redacted(data)
	if err != nil {
		t.Fatal(err)
	}
	before, after := planesOf(t, data), planesOf(t, img.JPEG())
	var n, changed, most int
	for y := range pictureHeight {
		for x := range pictureWidth {
			if covered(img.Regions(), image.Pt(x, y)) {
				continue
			}
			for _, d := range differences(before, after, x, y) {
				n++
				if d != 0 {
					changed++
					most = max(most, d)
				}
			}
		}
	}
	r := row{what: "samples that differ outside MCU-aligned regions", bar: "0", result: judged(float64(changed), 0)}
	r.measured = fmt.Sprintf("%d (%.1f %%)", changed, 100*float64(changed)/float64(n))
	r.note = fmt.Sprintf("of %d samples, the largest difference %d, from q%d to q%d%s", n, most, pictureQuality, outputQuality,
		r.result.unless("the plain path codes the whole picture anew; redaction in the compressed domain copies its bits"))
	return r
}

func planesOf(t *testing.T, data []byte) *image.YCbCr {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.YCbCr)
}

func covered(regions []blur.Region, p image.Point) bool {
	for _, r := range regions {
		if p.In(r.Box) {
			return true
		}
	}
	return false
}

// differences compares the samples of a pixel: luma, and chroma where it is the
// first pixel of a chroma sample.
func differences(a, b *image.YCbCr, x, y int) []int {
	apart := func(p, q uint8) int { return max(int(p)-int(q), int(q)-int(p)) }
	out := []int{apart(a.Y[a.YOffset(x, y)], b.Y[b.YOffset(x, y)])}
	if x%2 == 0 && y%2 == 0 {
		i, j := a.COffset(x, y), b.COffset(x, y)
		out = append(out, apart(a.Cb[i], b.Cb[j]), apart(a.Cr[i], b.Cr[j]))
	}
	return out
}

// idle is a session that computes nothing, so that what is left of a detection
// is the letterbox and the reading of an empty output.
type idle struct {
	input   []float32
	outputs map[string][]float32
}

func newIdle(m inference.Manifest) *idle {
	in, out := m.Tensors()
	s := &idle{input: make([]float32, in.Len()), outputs: map[string][]float32{}}
	for _, o := range out {
		s.outputs[o.Name] = make([]float32, o.Len())
	}
	return s
}

func (s *idle) Input() []float32             { return s.input }
func (s *idle) Run(context.Context) error    { return nil }
func (s *idle) Output(name string) []float32 { return s.outputs[name] }
func (s *idle) Close() error                 { return nil }

func letterboxFigures(t *testing.T) []row {
	r := row{what: "letterbox / OpenCV resize+blobFromImage, CPU", bar: "≤ 0.45"}
	model, err := catalogue.Find("yolox_nano")
	if err != nil {
		t.Fatal(err)
	}
	detector, err := inference.NewDetector(model.Manifest, newIdle(model.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	data, _ := figurePicture(t)
	from := func(planes *image.YCbCr) side {
		return cpuOf(func() error {
			_, err := detector.Detect(context.Background(), inference.Whole(planes), nil)
			return err
		})
	}
	full := planesOf(t, data)
	sides := []side{from(full), from(quarter(full))}
	ref, whyNot := openCV(t)
	if ref != nil {
		sides = append(sides, ref.costs(""))
	}
	costs := inTurns(t, 100, sides...)
	ours := fmt.Sprintf("1080p to 416x416: %.2f ms, from planes of a quarter of the size, as a skim gives them, %.2f ms",
		costs[0].median()/1e6, costs[1].median()/1e6)
	if ref == nil {
		r.result, r.note = notMeasured, whyNot+"; "+ours
		return []row{r}
	}
	ratio := costs[0].over(costs[2])
	r.measured, r.result = ratio.with(2, ""), judged(ratio.median(), 0.45)
	r.note = fmt.Sprintf("%s, with colour conversion and the reading of an empty output / %.2f ms from BGR, one thread%s",
		ours, costs[2].median()/1e6,
		r.result.unless("the letterbox is plain Go, OpenCV's vector code; the skim brings smaller planes"))
	return []row{r}
}

// quarter is a picture of the size that a skim at quarter scale gives.
func quarter(img *image.YCbCr) *image.YCbCr {
	size := img.Rect.Size().Div(4)
	out := image.NewYCbCr(image.Rectangle{Max: size}, img.SubsampleRatio)
	for y := range size.Y {
		for x := range size.X {
			i, j := img.COffset(4*x, 4*y), out.COffset(x, y)
			out.Y[out.YOffset(x, y)], out.Cb[j], out.Cr[j] = img.Y[img.YOffset(4*x, 4*y)], img.Cb[i], img.Cr[i]
		}
	}
	return out
}

func openCV(t *testing.T) (r *reference, whyNot string) {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs-only-L", "opencv4").Output()
	if err != nil {
		return nil, "OpenCV is not installed (libopencv-dev)"
	}
	link := append(strings.Fields(string(flags)), "-lopencv_core", "-lopencv_imgproc", "-lopencv_dnn")
	program, whyNot := compiled(t, "g++", "letterbox.cc", link...)
	if whyNot != "" {
		return nil, whyNot
	}
	return startReference(t, program, strconv.Itoa(pictureWidth), strconv.Itoa(pictureHeight)), ""
}
