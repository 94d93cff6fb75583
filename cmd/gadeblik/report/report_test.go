package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"regexp"
	"strings"
	"testing"
	"time"

	"gadeblik/agent"
	"gadeblik/uplink"
)

var began = time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)

// plan compiles one task over one zone with a hole, with this title.
func plan(t *testing.T, title string) *agent.Plan {
	t.Helper()
	square := func(d float64) [][2]float64 {
		return [][2]float64{{12.56 - d, 55.67 - d}, {12.56 + d, 55.67 - d}, {12.56 + d, 55.67 + d}, {12.56 - d, 55.67 + d}, {12.56 - d, 55.67 - d}}
	}
	raw, err := json.Marshal(map[string]any{
		"type":     "FeatureCollection",
		"gadeblik": map[string]any{"version": 3, "fleet": "test", "vehicles": []string{"*"}, "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"},
		"features": []any{map[string]any{"type": "Feature", "id": "yard", "properties": map[string]any{"name": "Yard <b>"},
			"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{square(0.002), square(0.0005)}}}},
		"tasks": []any{map[string]any{"id": "bins", "title": title, "purpose": "Find bins", "legal_basis": "law", "controller": "City",
			"zones": []string{"yard"}, "labels": []string{"bin"}, "action": "evidence"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := uplink.ParseOrders(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := agent.NewPlan(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func finding(t *testing.T, n int) Finding {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 640, 360))
	for i := range img.Pix {
		img.Pix[i] = byte(i * (n + 1))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return Finding{JPEG: b.Bytes(), Observation: uplink.Observation{
		ID: fmt.Sprintf("00000000-0000-5000-8000-%012d", n), Task: "bins", Kind: uplink.Finding, Zone: "yard", OrdersVersion: 3,
		Time:     uplink.Time{UTC: began.Add(time.Duration(n) * time.Second), Source: "gps"},
		Position: uplink.Position{Lat: 55.671, Lon: 12.561},
		Object:   &uplink.Object{Label: "bin", Score: 0.8, Box: [4]int{64, 36, 320, 180}},
		Redaction: &uplink.Redaction{Mode: "veil", Regions: map[string]int{
			"person": 2, "face": 1, "plate": 0}},
		ExpiresAt: began.AddDate(0, 1, 0),
	}}
}

func sample(t *testing.T, title string) Report {
	t.Helper()
	r := Report{Drive: "monday", Started: began, Version: "test", Plan: plan(t, title)}
	reasons := []agent.Reason{agent.NoTime, agent.Outside, agent.Settling, agent.Open, agent.Open, agent.TooFast, agent.NoFix, agent.Outside}
	for i, why := range reasons {
		r.Track = append(r.Track, Point{
			At: began.Add(time.Duration(i) * time.Second), Lat: 55.669 + float64(i)*0.0005, Lon: 12.561,
			Valid: why != agent.NoFix, Reason: why,
		})
		r.Counters.No[why]++
	}
	r.Looks = []Look{{At: began.Add(3 * time.Second), Lat: 55.6705, Lon: 12.561}}
	r.Found = []Finding{finding(t, 1), finding(t, 2)}
	r.Counters.Frames, r.Counters.Closed, r.Counters.Looked = 10, 7, 3
	return r
}

func drawn(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportSaysWhatItShould(t *testing.T) {
	page := drawn(t, sample(t, "Bins without a permit"))
	for _, want := range []string{
		"Orders version 3, 1 task in 1 zone.",
		"70&#8239;%", // forgotten unread
		"2 persons, 1 face, no plates",
		"Bins without a permit, by City (law), in zone yard, under orders version 3.",
		"Faster than the task allows.",
		"left:10.00%;top:10.00%;width:40.00%;height:40.00%",
		"2 July 2026",
		"00000000-0000-5000-8000-000000000002",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// The page is opened from mail and memory sticks: it must load nothing.
func TestReportNeedsNothingBesideIt(t *testing.T) {
	page := drawn(t, sample(t, "Bins"))
	for _, m := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*["']?([^"' )>]+)`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "data:image/jpeg;base64,") {
			t.Errorf("the page loads %.60s", m[1])
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("the page holds a script or an address")
	}
}

func TestReportIsTheSameEachTime(t *testing.T) {
	first, again := drawn(t, sample(t, "Bins")), drawn(t, sample(t, "Bins"))
	if first != again {
		t.Error("the same report gives two pages")
	}
}

// Titles come from orders, and orders from whoever wrote them.
func TestReportEscapesWhatItIsGiven(t *testing.T) {
	page := drawn(t, sample(t, `<img src=x onerror=alert(1)>`))
	if strings.Contains(page, "<img src=x") || strings.Contains(page, "Yard <b>") {
		t.Error("a title became a part of the page")
	}
}

func TestReportOfNothing(t *testing.T) {
	page := drawn(t, Report{Drive: "still", Started: began, Plan: plan(t, "Bins")})
	if !strings.Contains(page, "still") {
		t.Error("no page without a track")
	}
}

func TestShrinkKeepsTheMean(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 1000, 500))
	for i := range img.Pix {
		img.Pix[i] = byte(100 + 100*(i%2))
	}
	small := shrink(img, 250)
	if got := small.Bounds().Size(); got != image.Pt(250, 125) {
		t.Fatalf("size %v, want 250x125", got)
	}
	if got := color.GrayModel.Convert(small.At(100, 60)).(color.Gray).Y; got < 149 || got > 151 {
		t.Errorf("mean %d, want 150", got)
	}
}
