package blur

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"

	"gadeblik/blur/scan"
)

// BenchmarkRedact redacts five regions of 200x300 on a 1080p frame.
func BenchmarkRedact(b *testing.B) {
	file := coded(b, scene(1920, 1080, 12))
	b.Run("from bytes", func(b *testing.B) {
		s := &Source{}
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Open(file); err != nil {
				b.Fatal(err)
			}
			redacted(b, s, fivePersons(Full, Veil))
		}
	})
	for _, c := range []Context{Full, Coarse, Crop} {
		for _, f := range []Fill{Veil, Solid} {
			b.Run("walked, "+c.String()+", "+f.String(), func(b *testing.B) {
				s := openJPEG(b, file)
				b.ReportAllocs()
				for b.Loop() {
					redacted(b, s, fivePersons(c, f))
				}
			})
		}
	}
	b.Run("of a frame that is no JPEG", func(b *testing.B) {
		s := open(b, scene(1920, 1080, 12))
		for b.Loop() {
			redacted(b, s, fivePersons(Full, Veil))
		}
	})
}

// BenchmarkSteps times what Redact is made of, of a file that was walked.
func BenchmarkSteps(b *testing.B) {
	s := openJPEG(b, coded(b, scene(1920, 1080, 12)))
	r := fivePersons(Full, Veil)
	plan, err := r.plan(s)
	if err != nil {
		b.Fatal(err)
	}
	picture, err := s.coded(plan.regions)
	if err != nil {
		b.Fatal(err)
	}
	c := &s.canvas
	var edit scan.Edit
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"blank", func() error { c.blank(picture, plan.regions, true); return nil }},
		{"solid", func() error { return c.paint(context.Background(), Solid) }},
		{"veil", func() error { return c.paint(context.Background(), Veil) }},
		{"code", func() error { edit = c.code(plan.out); return nil }},
		{"splice", func() error {
			s.out, err = picture.Splice(s.out[:0], edit)
			return err
		}},
		{"coarse", func() error { return c.coarsen(context.Background(), image.Rect(11, 11, 48, 48)) }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := step.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func coded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func fivePersons(c Context, f Fill) Request {
	r := Request{Context: c, Fill: f, Keep: image.Rect(200, 200, 700, 700)}
	for i := range 5 {
		at := image.Pt(50+i*370, 100+i*130)
		r.Regions = append(r.Regions, Region{Person, image.Rectangle{at, at.Add(image.Pt(200, 300))}})
	}
	return r
}
