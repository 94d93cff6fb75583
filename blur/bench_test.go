package blur

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
)

// BenchmarkRedact redacts five regions of 200x300 on a 1080p frame. The plain
// path is mostly the standard library: decode and encode are timed beside it.
func BenchmarkRedact(b *testing.B) {
	frame := scene(1920, 1080, 12)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, frame, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	b.Run("JPEG to JPEG", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := openJPEG(b, file.Bytes())
			redacted(b, s, fivePersons(Full, Veil))
			s.Close()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			openJPEG(b, file.Bytes()).Close()
		}
	})
	for _, c := range []Context{Full, Coarse, Crop} {
		for _, f := range []Fill{Veil, Solid} {
			b.Run("opened, "+c.String()+", "+f.String(), func(b *testing.B) {
				s := open(b, frame)
				b.ReportAllocs()
				for b.Loop() {
					redacted(b, s, fivePersons(c, f))
				}
			})
		}
	}
}

// BenchmarkSteps times what Redact is made of.
func BenchmarkSteps(b *testing.B) {
	s := open(b, scene(1920, 1080, 12))
	r := fivePersons(Full, Veil)
	plan, err := r.plan(s)
	if err != nil {
		b.Fatal(err)
	}
	s.canvas.blank(s, plan.regions)
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"blank", func() error { s.canvas.blank(s, plan.regions); return nil }},
		{"veil", func() error { return s.canvas.fill(context.Background(), Veil) }},
		{"solid", func() error { return s.canvas.fill(context.Background(), Solid) }},
		{"coarse", func() error { return s.canvas.coarsen(context.Background(), image.Rect(176, 176, 768, 768)) }},
		{"encode", func() error { _, err := s.canvas.encode(plan.out, 88); return err }},
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

func fivePersons(c Context, f Fill) Request {
	r := Request{Context: c, Fill: f, Keep: image.Rect(200, 200, 700, 700)}
	for i := range 5 {
		at := image.Pt(50+i*370, 100+i*130)
		r.Regions = append(r.Regions, Region{Person, image.Rectangle{at, at.Add(image.Pt(200, 300))}})
	}
	return r
}
