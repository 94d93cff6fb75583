//go:build figures && linux

package agent

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/testdata"
)

// The figures' picture is as the design's table says: 1080p, quality 90, 4:2:0.
const (
	pictureWidth   = 1920
	pictureHeight  = 1080
	pictureQuality = 90
	// outputQuality is what the reference codes with; ours codes nothing anew.
	outputQuality = 88
)

// figurePicture returns the picture and what it is: a real one where there is
// one, otherwise one of the bundled drive's, enlarged.
func figurePicture(t *testing.T) (data []byte, from string) {
	t.Helper()
	raw, err := os.ReadFile(sharedPath("drives", "amsterdam_bags", "frames", "000010000.jpg"))
	from = "real picture"
	if err != nil {
		raw, err = fs.ReadFile(testdata.Demo(), "frames/000003500.jpg")
		from = "drawn picture, enlarged"
	}
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Size() != (image.Point{pictureWidth, pictureHeight}) {
		img = enlarged(img)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: pictureQuality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), fmt.Sprintf("%s, 1080p q%d, %d KB", from, pictureQuality, b.Len()/1000)
}

func enlarged(img image.Image) image.Image {
	out := image.NewYCbCr(image.Rect(0, 0, pictureWidth, pictureHeight), image.YCbCrSubsampleRatio420)
	from := img.Bounds()
	for y := range pictureHeight {
		for x := range pictureWidth {
			c := color.YCbCrModel.Convert(img.At(from.Min.X+x*from.Dx()/pictureWidth, from.Min.Y+y*from.Dy()/pictureHeight)).(color.YCbCr)
			i := out.COffset(x, y)
			out.Y[out.YOffset(x, y)], out.Cb[i], out.Cr[i] = c.Y, c.Cb, c.Cr
		}
	}
	return out
}

// fivePersons are what is removed from the picture.
func fivePersons() []inference.Detection {
	var out []inference.Detection
	for i := range 5 {
		x, y := 50+i*370, 100+i*130
		out = append(out, det("person", 0.9, x, y, x+200, y+300))
	}
	return out
}

func fiveRegions() []blur.Region {
	var out []blur.Region
	for _, d := range fivePersons() {
		out = append(out, blur.Region{Class: blur.Person, Box: d.Box})
	}
	return out
}

// reference is a program in C or C++ that does the other side's work, kept
// running so that both sides can take turns. It measures itself.
type reference struct {
	in  io.Writer
	out *bufio.Reader
}

// costs is the program's side of a comparison, in nanoseconds of its processor
// time.
func (r *reference) costs(command string) side {
	return func() (float64, error) {
		if _, err := fmt.Fprintln(r.in, command); err != nil {
			return 0, fmt.Errorf("tell the reference to %s: %w", command, err)
		}
		line, err := r.out.ReadString('\n')
		if err != nil {
			return 0, fmt.Errorf("wait for the reference to %s: %w", command, err)
		}
		return strconv.ParseFloat(strings.TrimSpace(line), 64)
	}
}

// startReference runs a program until the test ends.
func startReference(t *testing.T, program string, args ...string) *reference {
	t.Helper()
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // the program ends with its input
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", filepath.Base(program), err)
		}
	})
	return &reference{in, bufio.NewReader(out)}
}

// compiled builds a source of testdata/reference. Where that cannot be done it
// says why not.
func compiled(t *testing.T, compiler, source string, flags ...string) (program, whyNot string) {
	t.Helper()
	if _, err := exec.LookPath(compiler); err != nil {
		return "", "no " + compiler
	}
	program = filepath.Join(t.TempDir(), strings.TrimSuffix(source, filepath.Ext(source)))
	args := append([]string{"-O2", "-o", program, filepath.Join("..", "testdata", "reference", source)}, flags...)
	said, err := exec.Command(compiler, args...).CombinedOutput()
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
		return "", fmt.Sprintf("%s does not compile: %s", source, first)
	}
	return program, ""
}

// turbo is libjpeg-turbo at work on the picture, or why it is not.
func turbo(t *testing.T, picture []byte, regions []blur.Region) (r *reference, whyNot string) {
	t.Helper()
	program, whyNot := compiled(t, "gcc", "turbo.c", "-ljpeg")
	if whyNot != "" {
		return nil, whyNot + "; Debian has the library as libjpeg62-turbo-dev"
	}
	path := filepath.Join(t.TempDir(), "picture.jpg")
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{path, strconv.Itoa(outputQuality)}
	for _, region := range regions {
		b := region.Box
		args = append(args, fmt.Sprintf("%d,%d,%d,%d", b.Min.X, b.Min.Y, b.Max.X, b.Max.Y))
	}
	return startReference(t, program, args...), ""
}
