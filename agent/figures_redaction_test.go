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

// redacted opens and redacts the picture, in the memory of s and of into.
func redacted(s *blur.Source, data []byte, into *blur.Image) (*blur.Image, error) {
	if err := s.Open(data); err != nil {
		return nil, err
	}
	return blur.Redact(context.Background(), s, blur.Request{Regions: fiveRegions(), Context: blur.Full, Into: into})
}

// redactedOnce is the picture without its five regions.
func redactedOnce(t *testing.T, data []byte) *blur.Image {
	t.Helper()
	img, err := redacted(&blur.Source{}, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// appliedRegions are the five, grown and aligned as they are removed.
func appliedRegions(t *testing.T, data []byte) []blur.Region {
	t.Helper()
	return redactedOnce(t, data).Regions()
}

func redactionFigures(t *testing.T) []row {
	data, from := figurePicture(t)
	rows := []row{
		{what: "redact JPEG to JPEG / turbo decode+fill+encode, CPU", bar: "≤ 0.35", result: notMeasured},
		{what: "  of a picture that was looked at", bar: "≤ 0.08", result: notMeasured},
		{what: "quarter-scale skim with index / turbo full decode", bar: "≤ 0.75", result: notMeasured},
	}
	if ref, whyNot := turbo(t, data, appliedRegions(t, data)); ref == nil {
		for i := range rows {
			rows[i].note = whyNot
		}
	} else {
		redactRows(t, rows[:2], ref, data, from)
		skimRow(t, &rows[2], ref, data)
	}
	return append(rows, changedRow(t, data))
}

// redactRows measures the redaction of bytes, and of a picture whose scan was
// followed when a detector looked.
func redactRows(t *testing.T, rows []row, ref *reference, data []byte, from string) {
	walked, fresh := &blur.Source{}, &blur.Source{}
	into, other := &blur.Image{}, &blur.Image{} // as the agent, in which an image's memory serves the next one
	if _, err := redacted(walked, data, into); err != nil {
		t.Fatal(err)
	}
	// All turns take about as long as the library's: after a pause the first
	// millisecond costs a quarter more, whoever works.
	costs := inTurns(t, 40, eachOf(3, times(3, func() error {
		_, err := redacted(fresh, data, other)
		return err
	})), eachOf(10, times(10, func() error {
		_, err := blur.Redact(context.Background(), walked, blur.Request{Regions: fiveRegions(), Context: blur.Full, Into: into})
		return err
	})), ref.costs("redact"), ref.costs("planes"))
	usual, planes := costs[2], costs[3]
	for i, bar := range []float64{0.35, 0.08} {
		ratio := costs[i].over(usual)
		rows[i].measured, rows[i].result = ratio.with(3, ""), judged(ratio.median(), bar)
		rows[i].note = fmt.Sprintf("%s, five regions: %s / %s by way of BGR; %.3f against the same on planes, %s",
			from, costs[i].ms(), usual.ms(), costs[i].over(planes).median(), planes.ms())
	}
}

func skimRow(t *testing.T, r *row, ref *reference, data []byte) {
	src := &blur.Source{}
	skim := func(reduce int) side {
		return cpuOf(func() error {
			if err := src.Open(data); err != nil {
				return err
			}
			_, err := src.Planes(reduce)
			return err
		})
	}
	costs := inTurns(t, 40, skim(4), ref.costs("decode-bgr"), ref.costs("decode"), skim(8), skim(2), skim(1))
	ratio := costs[0].over(costs[1])
	r.measured, r.result = ratio.with(2, ""), judged(ratio.median(), 0.75)
	r.note = fmt.Sprintf("%s / %s to BGR; %.2f against %s to planes; at an eighth %s, half %s, full size %s",
		costs[0].ms(), costs[1].ms(), costs[0].over(costs[2]).median(), costs[2].ms(), costs[3].ms(), costs[4].ms(), costs[5].ms())
}

// changedRow counts the samples outside the regions that are not what they were.
func changedRow(t *testing.T, data []byte) row {
	img := redactedOnce(t, data)
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
	r.note = fmt.Sprintf("of %d samples, the largest difference %d", n, most)
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
	// All turns take about as long: after a pause the first millisecond costs more, whoever works.
	from := func(planes *image.YCbCr, pictures int) side {
		return eachOf(pictures, times(pictures, func() error {
			_, err := detector.Detect(context.Background(), inference.Whole(planes), nil)
			return err
		}))
	}
	full := planesOf(t, data)
	sides := []side{from(quarter(full), 12), from(full, 4)}
	ref, whyNot := openCV(t)
	if ref != nil {
		sides = append(sides, ref.costs("4"))
	}
	costs := inTurns(t, 100, sides...)
	skimmed := row{what: "  from planes of a quarter, as a skim gives them", bar: "≤ 0.45"}
	rows := []*row{&skimmed, &r}
	for i, from := range rows {
		ours := fmt.Sprintf("1080p to 416x416, with colour conversion and the reading of an empty output: %.2f ms", costs[i].median()/1e6)
		if ref == nil {
			from.result, from.note = notMeasured, whyNot+"; "+ours
			continue
		}
		ratio := costs[i].over(costs[2])
		from.measured, from.result = ratio.with(2, ""), judged(ratio.median(), 0.45)
		from.note = fmt.Sprintf("%s / %.2f ms from BGR, one thread", ours, costs[2].median()/1e6)
	}
	r.note += r.result.unless("no model of that size is given full planes: see the next line")
	return []row{r, skimmed}
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
