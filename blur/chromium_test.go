package blur

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gadeblik/blur/scan/scantest"
)

// TestBrowserDecodes lets a browser decode images of every kind of source: those
// who look at evidence use one.
func TestBrowserDecodes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser; run without -short")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium")
	}
	dir := t.TempDir()
	var names []string
	save := func(name string, s *Source, r Request) {
		m := redacted(t, s, r)
		file := fmt.Sprintf("%d.jpg", len(names))
		if err := os.WriteFile(filepath.Join(dir, file), m.JPEG(), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%s %dx%d", name, m.Bounds().Dx(), m.Bounds().Dy()))
	}
	for i, l := range scantest.Layouts() {
		p := scantest.New(150+i, 110-i, l)
		p.Restart = i
		save(l.Name, openJPEG(t, p.Bytes()), someRegions(openJPEG(t, p.Bytes()).Bounds(), i))
	}
	if _, err := os.Stat(filepath.Join("..", "..", "shared", "images")); err == nil {
		for i, file := range realFiles(t) {
			if i%61 != 0 {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := openJPEG(t, data)
			save(filepath.Base(file), s, someRegions(s.Bounds(), i))
		}
	}
	var page strings.Builder
	page.WriteString("<body>")
	for i := range names {
		fmt.Fprintf(&page, "<img src=%d.jpg>\n", i)
	}
	page.WriteString(`<script>onload = () => {
	const said = [...document.images].map((img, i) => "IMG " + i + " " + img.naturalWidth + "x" + img.naturalHeight);
	document.body.innerHTML = said.map(s => "<p>" + s + "</p>").join("\n");
}</script>`)
	if err := os.WriteFile(filepath.Join(dir, "page.html"), []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--allow-file-access-from-files", "--virtual-time-budget=20000", "--dump-dom", "file://"+filepath.Join(dir, "page.html"))
	dom, err := c.Output()
	if err != nil {
		t.Skipf("the browser does not run here: %v", err)
	}
	for i, name := range names {
		size := name[strings.LastIndex(name, " ")+1:]
		if want := fmt.Sprintf("IMG %d %s<", i, size); !strings.Contains(string(dom), want) {
			t.Errorf("%s is not decoded: the page lacks %q", name, want)
		}
	}
	if t.Failed() {
		t.Logf("the page: %.2000s", dom)
	}
	t.Logf("%d images decoded", len(names))
}
