package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func redaction(path string) Redaction {
	return Redaction{
		Version: "test", Fill: "veil", Margin: 0.12, Labels: []string{"person", "plate"},
		Models:   []Model{{Name: "ours", SHA256: "abc123", Finds: map[string]float64{"person": 0.16, "plate": 0.2}}},
		Regions:  map[string]int{"person": 3, "plate": 0},
		Redacted: 1, Failed: 1, Skipped: 1,
		Rows: []Row{
			{Path: path, Status: "redacted", Width: 640, Height: 360, Regions: map[string]int{"person": 3, "plate": 0}},
			{Path: "broken.jpg", Status: "failed", Reason: "ends early"},
			{Path: "notes.txt", Status: "skipped", Reason: "not a JPEG"},
		},
	}
}

func drawnRedaction(t *testing.T, r Redaction) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteRedaction(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRedactionSaysWhatItShould(t *testing.T) {
	page := drawnRedaction(t, redaction("monday/a.jpg"))
	for _, want := range []string{
		"Removed: person, plate. Fill veil, margin 12&#8239;%. Gadeblik test.",
		`<a href="./monday/a.jpg">monday/a.jpg</a></td><td class="n">640×360</td><td class="n">3</td><td class="n">0</td>`,
		"<tr><td>broken.jpg</td><td>ends early</td></tr>",
		"<tr><td>notes.txt</td><td>not a JPEG</td></tr>",
		"1 of the pictures could not be redacted. Nothing of them was written.",
		"these pictures are not fit to be given away",
		"person 0.16", "<code>abc123</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Index(page, "broken.jpg") > strings.Index(page, "a.jpg</a>") {
		t.Error("what failed does not come first")
	}
}

// Files are called anything: no name may become a part of the page or lead elsewhere.
func TestRedactionEscapesNames(t *testing.T) {
	for name, link := range map[string]string{
		`<img src=x onerror=alert(1)>.jpg`: "./%3Cimg%20src=x%20onerror=alert%281%29%3E.jpg",
		"javascript:alert(1).jpg":          "./javascript:alert%281%29.jpg",
		"a#b?c%20.jpg":                     "./a%23b%3Fc%2520.jpg",
	} {
		page := drawnRedaction(t, redaction(name))
		links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
		if len(links) != 1 || links[0][1] != link {
			t.Errorf("%s: links %q, want %s", name, links, link)
		}
		if strings.Contains(page, "<img") {
			t.Errorf("%s became a part of the page", name)
		}
	}
}

func TestRedactionNeedsNothingBesideIt(t *testing.T) {
	page := drawnRedaction(t, redaction("a.jpg"))
	if strings.Contains(page, "<script") || strings.Contains(page, "http") && !strings.Contains(page, "http-equiv") || strings.Contains(page, "src=") {
		t.Error("the page loads something")
	}
}

func TestRedactionOfManyIsCut(t *testing.T) {
	r := redaction("a.jpg")
	for range maxRows + 5 {
		r.Rows = append(r.Rows, r.Rows[0])
	}
	if page := drawnRedaction(t, r); !strings.Contains(page, "6 more are in report.json.") {
		t.Error("the page does not say what it leaves out")
	}
}
