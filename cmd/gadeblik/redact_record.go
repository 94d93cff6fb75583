package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gadeblik/agent"
)

// status is what became of a file.
type status string

const (
	redacted status = "redacted"
	failed   status = "failed"  // nothing of it was written
	skipped  status = "skipped" // not a picture: nothing of it was written
	pending  status = "pending" // the run was stopped before it
)

// record is what is told of one file: in report.json, in the lines of --json and
// in what --resume goes by. It says nothing of the source but its name: a hash of
// an original would let anybody who has it find it here.
type record struct {
	Path    string              `json:"path"` // below the folder that was named, and below the output folder
	Status  status              `json:"status"`
	Reason  string              `json:"reason,omitempty"`
	Earlier bool                `json:"earlier,omitempty"` // made by an earlier run
	SHA256  string              `json:"sha256,omitempty"`  // of the redacted JPEG, as are the next three
	Bytes   int                 `json:"bytes,omitempty"`
	Width   int                 `json:"width,omitempty"`
	Height  int                 `json:"height,omitempty"`
	Regions map[string][][4]int `json:"regions,omitempty"` // left, top, right, bottom in pixels, by class, as removed
	Grown   bool                `json:"grown,omitempty"`   // a second look saw somebody, who was removed too
}

// photo is one file that was named or found. It belongs to one goroutine at a
// time.
type photo struct {
	record
	source  string // the file to read
	replace bool   // an output is there, and may be replaced
	settled bool   // nothing is left to do since before the work began
}

func (p *photo) skip(reason string) { p.Status, p.Reason = skipped, reason }

// fail says why there is no redacted picture. The file's place on this machine is
// left out: reports are given away.
func (p *photo) fail(err error) {
	reason := err.Error()
	var at *fs.PathError
	if errors.As(err, &at) {
		reason = strings.ReplaceAll(reason, at.Error(), at.Op+": "+at.Err.Error())
	}
	p.record = record{Path: p.Path, Status: failed, Reason: strings.ReplaceAll(reason, "\n", "; ")}
}

// succeed tells what was made.
func (p *photo) succeed(got agent.Redacted, jpeg []byte, labels []string) {
	img := got.Image
	size := img.Bounds().Size()
	p.record = record{
		Path: p.Path, Status: redacted, SHA256: digest(jpeg), Bytes: len(jpeg),
		Width: size.X, Height: size.Y, Regions: map[string][][4]int{},
		Grown: got.Second != nil && got.Second.Grown,
	}
	for _, l := range labels {
		p.Regions[l] = [][4]int{} // none of them is a finding too
	}
	for _, r := range img.Regions() {
		b := r.Box
		p.Regions[string(r.Class)] = append(p.Regions[string(r.Class)], [4]int{b.Min.X, b.Min.Y, b.Max.X, b.Max.Y})
	}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// complaint is the failure as a line on a terminal.
func (p *photo) complaint() error { return fmt.Errorf("%s: %s", plain(p.source), p.Reason) }

// plain makes a name harmless: a file may be called anything, and a terminal obeys
// some of it.
func plain(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// stamp tells whether a source is still the one that was redacted.
type stamp struct {
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// stamp returns what the source is now; a source that cannot be read has none.
func (p *photo) stamp() stamp {
	st, err := os.Stat(p.source)
	if err != nil {
		return stamp{}
	}
	return stamp{st.Size(), st.ModTime().UTC()}
}

// totals are the numbers of a run.
type totals struct {
	Redacted int            `json:"redacted"`
	Earlier  int            `json:"earlier"` // of those, made by an earlier run
	Failed   int            `json:"failed"`
	Skipped  int            `json:"skipped"`
	Pending  int            `json:"pending"`
	Regions  map[string]int `json:"regions"` // removed, by class
}

// pictures counts the files that were to be redacted.
func (t totals) pictures() int { return t.Redacted + t.Failed + t.Pending }

func count(all []*photo, labels []string) totals {
	t := totals{Regions: map[string]int{}}
	for _, l := range labels {
		t.Regions[l] = 0
	}
	for _, p := range all {
		switch p.Status {
		case redacted:
			t.Redacted++
		case failed:
			t.Failed++
		case skipped:
			t.Skipped++
		default:
			t.Pending++
		}
		if p.Earlier {
			t.Earlier++
		}
		for class, boxes := range p.Regions {
			t.Regions[class] += len(boxes)
		}
	}
	return t
}
