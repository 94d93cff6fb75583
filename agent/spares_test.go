package agent

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"testing"

	"gadeblik/inference"
)

// A picture's memory serves another only once nobody has the picture any more: what waits to be sent
// stays as it was made, while better looks replace others and findings leave.
func TestPicturesKeepTheirMemory(t *testing.T) {
	s := newSight()
	look := 0
	s.look.see = func(*image.YCbCr) []inference.Detection {
		look++
		grown := 2 * (look % 5) // so that a look replaces the one before
		x := 20 + look/5%3*90   // and every fifth is at another thing
		return []inference.Detection{
			{Label: "bin", Score: 0.8, Box: image.Rect(x, 20, x+20+4*grown, 40+4*grown)},
			{Label: "bin", Score: 0.8, Box: image.Rect(40, 130, 60+grown, 150+grown)},
		}
	}
	// Each picture shows another place: somebody else is removed.
	s.person.see = func(*image.YCbCr) []inference.Detection {
		return []inference.Detection{det("person", 0.9, 5*look%150, 100, 5*look%150+30, 125)}
	}
	b := newBench(t, s, task("bins", map[string]any{"context": "full", "quota_per_day": 100}))
	made, reused := map[*candidate][]byte{}, 0
	for second := range 30 {
		b.drive(t, second, second+1)
		reused += len(b.spares)
		for _, pass := range b.passes {
			for _, c := range pass.best {
				if made[c] == nil {
					made[c] = c.Image.JPEG()
				}
				if !bytes.Equal(made[c], c.Image.JPEG()) {
					t.Fatalf("after %d s a picture that waits is another than was made", second)
				}
			}
		}
	}
	if len(made) < 5 || reused == 0 {
		t.Errorf("%d pictures, %d spares seen: the drive shows too little", len(made), reused)
	}
	for i, p := range b.products {
		if ref := p.Evidence.Ref(); fmt.Sprintf("%x", sha256.Sum256(p.Evidence.JPEG())) != ref.SHA256 {
			t.Errorf("picture %d was changed after it left", i)
		}
	}
}
