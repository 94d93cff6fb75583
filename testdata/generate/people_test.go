package main

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pantry opens the folder that people are made from, which is no part of the repository.
func pantry(t *testing.T) *larder {
	t.Helper()
	const dir = "../../build/training/pictures/people"
	if testing.Short() {
		t.Skip("draws people, which takes seconds")
	}
	if _, err := os.Stat(filepath.Join(dir, "base.obj")); err != nil {
		t.Skip("bodies and clothes are not here: ", err)
	}
	l, err := openLarder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// cutOut draws one person and decodes it.
func cutOut(t *testing.T, l *larder, seed, number int) (*image.NRGBA, portrait) {
	t.Helper()
	b, p, err := l.portray(seed, number)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := img.(*image.NRGBA)
	if !ok {
		t.Fatalf("%s: decodes as %T, want straight alpha", p.File, img)
	}
	return n, p
}

// One larder draws three people, another the middle one alone, and the series is written to a folder too.
func TestPersonDependsOnSeedAndNumberOnly(t *testing.T) {
	l := pantry(t)
	var company []byte
	var want portrait
	for i := 20; i < 23; i++ {
		b, p, err := l.portray(3, i)
		if err != nil {
			t.Fatal(err)
		}
		if i == 21 {
			company, want = b, p
		}
	}
	j := people{assets: l.dir, out: t.TempDir(), first: 21, count: 1, seed: 3, progress: func(int, int) {}}
	if err := j.write(); err != nil {
		t.Fatal(err)
	}
	alone, err := os.ReadFile(filepath.Join(j.out, want.File))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(alone, company) {
		t.Errorf("%s: %d bytes alone, %d bytes that differ in company", want.File, len(alone), len(company))
	}
	other, _, err := l.portray(4, 21)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other, alone) {
		t.Error("another seed draws the same person")
	}
	lines, err := os.ReadFile(filepath.Join(j.out, "labels.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(lines, []byte("\n")); got != 1 {
		t.Errorf("%d lines of labels, want 1", got)
	}
}

// alphaBox is the box of the pixels with at least this opacity, found another way than the labels'.
func alphaBox(img *image.NRGBA, least byte) [4]int {
	b := [4]int{math.MaxInt, math.MaxInt, 0, 0}
	for i := 3; i < len(img.Pix); i += 4 {
		if x, y := i%img.Stride/4, i/img.Stride; img.Pix[i] >= least {
			b = [4]int{min(b[0], x), min(b[1], y), max(b[2], x+1), max(b[3], y+1)}
		}
	}
	return b
}

func TestPeopleAreCutAndLabelled(t *testing.T) {
	l := pantry(t)
	faces := 0
	for i := range 24 {
		img, p := cutOut(t, l, 6, i)
		if d := cmp.Diff(alphaBox(img, 128), p.Person); d != "" {
			t.Errorf("%s: person's box is not that of the alpha (-alpha +label):\n%s", p.File, d)
		}
		w, h := img.Rect.Dx(), img.Rect.Dy()
		if d := cmp.Diff([4]int{4, 4, w - 4, h - 4}, alphaBox(img, 1)); d != "" {
			t.Errorf("%s: not four empty pixels on all sides (-want +got):\n%s", p.File, d)
		}
		checkAlpha(t, p.File, img)
		if p.Face == nil {
			continue
		}
		faces++
		f := *p.Face
		if f[0] < p.Person[0] || f[1] < p.Person[1] || f[2] > p.Person[2] || f[3] > p.Person[3] {
			t.Errorf("%s: face %v reaches out of person %v", p.File, f, p.Person)
		}
		if p.Turned >= mostTurned {
			t.Errorf("%s: a face that is turned %v degrees away has a box", p.File, p.Turned)
		}
		third := p.Person[1] + (p.Person[3]-p.Person[1])/3
		if upright := p.Pose == "stand" || p.Pose == "walk"; upright && f[3] > third {
			t.Errorf("%s: %s: face %v ends below %d, the person's upper third", p.File, p.Pose, f, third)
		}
	}
	if faces < 6 || faces > 20 {
		t.Errorf("%d of 24 people show a face, want about half", faces)
	}
}

// checkAlpha fails if edges are hard, or soft everywhere.
func checkAlpha(t *testing.T, name string, img *image.NRGBA) {
	t.Helper()
	full, soft := 0, 0
	for i := 3; i < len(img.Pix); i += 4 {
		switch a := img.Pix[i]; {
		case a == 255:
			full++
		case a > 0:
			soft++
		}
	}
	if soft < full/100 || soft > full/2 {
		t.Errorf("%s: %d half covered pixels of %d covered, want an edge's worth", name, soft, full)
	}
}

// posed draws a standing person without hair or hat from the front after change.
func posed(t *testing.T, l *larder, change func(c *character)) portrait {
	t.Helper()
	c := castCharacter(1, 8)
	c.attitude, c.hair, c.outfit.hat = attitude{name: "stand"}, "", false
	c.view = viewpoint{distance: 9, height: 1.6}
	change(&c)
	m, err := l.model(c)
	if err != nil {
		t.Fatal(err)
	}
	cam := c.view.lookout(m.middle)
	m.figure.gather(c.light)
	cv := m.figure.expose(cam)
	s := m.figure.develop(cv, cam, c.light)
	p := portrait{Person: solid(s.img)}
	p.Turned, p.Face = m.visage(cam, cv, s)
	return p
}

func TestFaceIsLabelledWhileItShows(t *testing.T) {
	l := pantry(t)
	for _, c := range []struct {
		degrees float64
		face    bool
	}{{0, true}, {50, true}, {-50, true}, {150, false}, {180, false}, {-150, false}} {
		p := posed(t, l, func(c2 *character) { c2.view.turned = degrees(c.degrees) })
		if got := p.Face != nil; got != c.face {
			t.Errorf("turned %v: face %v, want %v (measured %v degrees)", c.degrees, got, c.face, p.Turned)
		}
		// Head and trunk are turned a little at random.
		if math.Abs(p.Turned-math.Abs(c.degrees)) > 55 {
			t.Errorf("turned %v: labelled %v", c.degrees, p.Turned)
		}
		if p.Face == nil {
			continue
		}
		share := float64(p.Face[3]-p.Face[1]) / float64(p.Person[3]-p.Person[1])
		if share < 0.08 || share > 0.16 {
			t.Errorf("turned %v: the face is %.2f of the person's height, want about an eighth", c.degrees, share)
		}
	}
}

func TestChildrenAreSmaller(t *testing.T) {
	l := pantry(t)
	height := func(age float64) int {
		p := posed(t, l, func(c *character) { c.build.age, c.build.height = age, 0 })
		return p.Person[3] - p.Person[1]
	}
	small, middle, grown := height(5), height(10), height(30)
	if small >= middle*9/10 || middle >= grown*9/10 {
		t.Errorf("heights at 5, 10 and 30 years: %d, %d and %d pixels, want clear steps", small, middle, grown)
	}
	if grown < 370 || grown > 450 {
		t.Errorf("a grown person is %d pixels high, want about 420", grown)
	}
}

func TestCastIsEven(t *testing.T) {
	ages, tones, sides := [9]int{}, [5]int{}, [4]int{}
	women, turns := 0, map[string]int{}
	for i := range 80 {
		c := castCharacter(2, i)
		if c.build.age < 4 || c.build.age >= 86 {
			t.Errorf("person %d: %v years", i, c.build.age)
		}
		ages[int(c.build.age/10)]++
		tones[int(c.tone*5)]++
		sides[int(wrap(c.view.turned+math.Pi/4, 2*math.Pi)/(math.Pi/2))%4]++
		turns[c.attitude.name]++
		if c.build.female {
			women++
		}
		if sum := c.build.african + c.build.asian + c.build.caucasian; math.Abs(sum-1) > 1e-9 {
			t.Errorf("person %d: shares of origin sum to %v", i, sum)
		}
	}
	for k, n := range ages {
		if n < 2 {
			t.Errorf("%d of 80 people are %d to %d years old", n, 10*k, 10*k+9)
		}
	}
	for k, n := range tones {
		if n < 12 || n > 20 {
			t.Errorf("%d of 80 people have skin of tone %d of 5, want about 16", n, k)
		}
	}
	for k, n := range sides {
		if n < 8 {
			t.Errorf("%d of 80 people are seen from side %d", n, k)
		}
	}
	if women < 25 || women > 55 {
		t.Errorf("%d of 80 people are women", women)
	}
	if turns["walk"] < 20 || turns["stand"] < 18 || turns["sit"] == 0 || turns["run"] == 0 {
		t.Errorf("poses of 80 people: %v", turns)
	}
}

func TestSharesOfShapesSumToOne(t *testing.T) {
	for _, years := range []float64{1, 4, 10, 17, 25, 60, 90} {
		b := build{age: years, african: 0.2, asian: 0.3, caucasian: 0.5, muscle: 0.3, weight: 0.9}
		origin, universal := 0.0, 0.0
		for _, s := range b.targets() {
			switch {
			case strings.HasPrefix(s.name, "universal-"):
				universal += s.of
			case !strings.Contains(s.name, "/"):
				origin += s.of
			}
		}
		if math.Abs(origin-1) > 1e-9 || math.Abs(universal-1) > 1e-9 {
			t.Errorf("%v years: shares of origin sum to %v, of build to %v", years, origin, universal)
		}
	}
}

func TestTurns(t *testing.T) {
	p := spin(vec{0, 1, 0}, 0.7).in(spin(vec{1, 0, 0}, -0.4))
	near := func(name string, got, want vec) {
		t.Helper()
		if got.sub(want).len() > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	v := vec{0.3, -1.2, 0.5}
	near("inverse", p.inverse().dir(p.dir(v)), v)
	near("eased by 1", p.eased(1).dir(v), p.dir(v))
	near("eased by half, twice", p.eased(0.5).in(p.eased(0.5)).dir(v), p.dir(v))
	mirror := func(v vec) vec { return vec{-v.X, v.Y, v.Z} }
	near("flipped", p.flipped().dir(mirror(v)), mirror(p.dir(v)))
	near("aligned", aligned(v, vec{0, 0, 2}).dir(v), vec{0, 0, v.len()})
}

func TestReadersRefuse(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tri := &shell{verts: make([]vec, 3), facets: []facet{{v: [3]int32{0, 1, 2}}}}
	shell := func(p string) error { _, err := readShell(p); return err }
	cloth := func(p string) error { _, err := readCloth(p, tri, 3); return err }
	target := func(p string) error { _, err := readTarget(p, 3); return err }
	motion := func(p string) error { _, err := readMotion(p); return err }
	for _, c := range []struct {
		name, text, want string
		read             func(string) error
	}{
		{"face without vertex", "v 0 0 0\nf 1 2 3\n", `line 2: vertex "2": 1 to 1`, shell},
		{"no faces", "v 0 0 0\n", "no faces", shell},
		{"not finite", "v NaN 0 0\n", `"NaN" is not a number`, shell},
		{"too few ties", "verts 0\n1\n", "1 ties for 3 vertices", cloth},
		{"tie beyond the body", "verts 0\n7\n", "vertex 7: below 3", cloth},
		{"hidden beyond the body", "delete_verts\n1 - 9\n", `hidden vertex "9": below 3`, cloth},
		{"scale of nothing", "x_scale 0 1 0\n", "two vertices below 3 and a length", cloth},
		{"target beyond the body", "3 0 0 0\n", "vertex 3: below 3", target},
		{"target too short", "1 0 0\n", "3 numbers, want 4", target},
		{"closed too often", "ROOT a\n{\n}\n}\n", "} without {", motion},
		{"no frames", "ROOT a\n{\n}\n", "no frames", motion},
		{"short frame", "ROOT a\n{\nCHANNELS 3 Xrotation Yrotation Zrotation\n}\nMOTION\nFrame Time: 1\n1 2\n", "2 numbers, want 3", motion},
	} {
		err := c.read(write("file", c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestHiddenSpans(t *testing.T) {
	c := &cloth{}
	if err := c.hide(strings.Fields("1 - 3 5 7 - 8"), 10); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int32{1, 2, 3, 5, 7, 8}, c.hides); d != "" {
		t.Error(d)
	}
}
