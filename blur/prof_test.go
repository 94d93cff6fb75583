package blur

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

func BenchmarkReal(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", "..", "shared", "drives", "amsterdam_bags", "frames", "000010000.jpg"))
	if err != nil {
		b.Skip(err)
	}
	img, _ := jpeg.Decode(bytes.NewReader(data))
	file := coded(b, img)
	s := &Source{}
	b.Run("walked", func(b *testing.B) {
		if err := s.Open(file); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			redacted(b, s, fivePersons(Full, Veil))
		}
	})
	b.Run("bytes", func(b *testing.B) {
		for b.Loop() {
			s.Open(file)
			redacted(b, s, fivePersons(Full, Veil))
		}
	})
}
