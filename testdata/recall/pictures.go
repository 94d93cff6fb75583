package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// set is a folder of pictures of one origin.
type set struct {
	name, folder, place string
	// judged is whether a human looked for persons, faces and plates alike: only there
	// can be said what was removed without need.
	judged bool
}

// placeOf says where the pictures of a set are from.
func placeOf(name string) string {
	for _, s := range measured() {
		if s.name == name {
			return s.place
		}
	}
	return ""
}

// judgedSet tells whether a human looked for all classes in the pictures of a set.
func judgedSet(name string) bool {
	return slices.ContainsFunc(measured(), func(s set) bool { return s.name == name && s.judged })
}

// places are those of the sets, in their order.
func places() []string {
	var all []string
	for _, s := range measured() {
		all = append(all, s.place)
	}
	return slices.Compact(all)
}

// measured are the sets of which at least a part was never trained on. Not among them
// are drives/static_camera, which was trained on whole, and drives/amsterdam_stills,
// which are copies.
func measured() []set {
	return []set{
		{"amsterdam", "images/amsterdam", "Amsterdam", true},
		{"amsterdam_unlabelled", "images/amsterdam_unlabelled", "Amsterdam", true},
		{"amsterdam_bags", "drives/amsterdam_bags/frames", "Amsterdam", true},
		{"lege", "images/lege_cap_ferret", "Lège-Cap-Ferret", true},
		{"romania_day001", "drives/romania_day001/frames", "Romania", true},
		{"romania_day003", "drives/romania_day003/frames", "Romania", true},
		{"romania_night001", "drives/romania_night001/frames", "Romania", true},
		{"faces", "images/faces", "other places", false},
		{"street", "images/street", "other places", false},
	}
}

// picturesIn returns the JPEGs of a folder, by their paths below shared.
func picturesIn(shared, folder string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(shared, filepath.FromSlash(folder), "*.jpg"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no pictures in %s", filepath.Join(shared, folder))
	}
	for i, f := range found {
		found[i] = folder + "/" + filepath.Base(f)
	}
	slices.Sort(found)
	return found, nil
}

// testBelow is the place below which a picture is of the test split. The rules here
// are those of inference/training/sets.py and must stay the same: they say what the
// built-in models have never seen.
const testBelow = 0.3

// split knows where a picture falls, in [0, 1).
type split struct {
	walks map[string]string // of the pictures of Amsterdam: the walk they were taken on
	trips map[string]string // of the points of Lège: the trip they were passed on
}

func newSplit(shared string) (split, error) {
	walks, err := amsterdamWalks(shared)
	if err != nil {
		return split{}, err
	}
	trips, err := legeTrips(shared)
	return split{walks, trips}, err
}

// test returns what of a set was neither trained on nor used to decide a score, sorted
// by name.
func (s split) test(shared string, of set) ([]string, error) {
	files, err := picturesIn(shared, of.folder)
	if err != nil {
		return nil, err
	}
	var test []string
	for _, f := range files {
		at, err := s.place(of.name, f)
		if err != nil {
			return nil, err
		}
		if at < testBelow {
			test = append(test, f)
		}
	}
	return test, nil
}

func (s split) place(name, file string) (float64, error) {
	base := filepath.Base(file)
	stem := strings.TrimSuffix(base, ".jpg")
	switch name {
	case "amsterdam", "amsterdam_unlabelled":
		return spread(s.walks[base]), nil
	case "lege":
		return spread(s.trips[stem[:max(0, strings.LastIndex(stem, "_"))]]), nil
	case "romania_day001", "romania_night001":
		at, err := strconv.Atoi(stem)
		if err != nil {
			return 0, fmt.Errorf("%s: a frame is named for its milliseconds: %w", file, err)
		}
		return placeInDrive(name, at), nil
	}
	return 0, nil // never trained on
}

// placeInDrive: of two drives the end is measured on.
func placeInDrive(name string, milliseconds int) float64 {
	switch {
	case name == "romania_day001" && milliseconds >= 670_000, name == "romania_night001" && milliseconds >= 110_000:
		return 0
	case name == "romania_day001" && milliseconds >= 600_000:
		return 0.35
	}
	return 1
}

// spread turns a text into a number in [0, 1) that depends on the text alone.
func spread(text string) float64 {
	digest := sha256.Sum256([]byte(text))
	return float64(binary.BigEndian.Uint32(digest[:])) / (1 << 32)
}

// amsterdamWalks groups photographs less than half an hour apart, over both folders,
// and names each group for its first time.
func amsterdamWalks(shared string) (map[string]string, error) {
	stamp := regexp.MustCompile(`\d{13}`)
	type photo struct{ time, name string }
	var photos []photo
	for _, folder := range []string{"images/amsterdam", "images/amsterdam_unlabelled"} {
		files, err := picturesIn(shared, folder)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			photos = append(photos, photo{stamp.FindString(filepath.Base(f)), filepath.Base(f)})
		}
	}
	slices.SortFunc(photos, func(a, b photo) int { return strings.Compare(a.time+a.name, b.time+b.name) })
	walks, start, last := map[string]string{}, "", int64(0)
	for _, p := range photos {
		at, err := strconv.ParseInt(p.time, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s has no time in its name", p.name)
		}
		if at-last > 30*60*1000 {
			start = p.time
		}
		walks[p.name], last = start, at
	}
	return walks, nil
}

func legeTrips(shared string) (map[string]string, error) {
	var notes struct {
		Points []struct{ ID, Collection string }
	}
	if err := readJSON(filepath.Join(shared, "annotations", "lege_cap_ferret.json"), &notes); err != nil {
		return nil, err
	}
	trips := map[string]string{}
	for _, p := range notes.Points {
		trips[p.ID] = p.Collection
	}
	return trips, nil
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
