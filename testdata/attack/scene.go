package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"os"
	"path"
	"slices"

	"gadeblik/testdata"
)

// photo is a street into which plates are painted.
type photo struct {
	name string
	img  *image.YCbCr
	at   image.Point // the middle of the plate
}

// photos are a few of the bundled drive and, where there is a folder of real pictures, a
// few of those. The same folder gives the same pictures.
func photos(shared string) ([]photo, error) {
	all, err := drawn()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(shared); errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	dir := os.DirFS(shared)
	cars, err := annotated(dir)
	if err != nil {
		return nil, err
	}
	streets, err := streets(dir)
	return slices.Concat(all[:2], cars, streets), err
}

// drawn are frames of the bundled drive.
func drawn() ([]photo, error) {
	names, err := fs.Glob(testdata.Demo(), "frames/*.jpg")
	if err != nil {
		return nil, err
	}
	var all []photo
	for _, i := range []int{5, 30, 17, 44} {
		p, err := open(testdata.Demo(), names[i%len(names)])
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// annotated are cars in Romania, with the plate where they wear theirs.
func annotated(dir fs.FS) ([]photo, error) {
	data, err := fs.ReadFile(dir, "annotations/romania_plates.json")
	if err != nil {
		return nil, err
	}
	var list struct {
		Images []struct {
			File    string
			Objects []struct{ Box [4]int }
		}
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("annotations/romania_plates.json: %w", err)
	}
	var all []photo
	for i := 20; i < len(list.Images) && len(all) < 3; i += 90 {
		p, err := open(dir, list.Images[i].File)
		if err != nil {
			return nil, err
		}
		if objects := list.Images[i].Objects; len(objects) > 0 {
			b := objects[0].Box
			p.at = image.Pt(b[0]+b[2], b[1]+b[3]).Div(2)
		}
		all = append(all, p)
	}
	return all, nil
}

// streets are pictures of Amsterdam, with the plate in the middle.
func streets(dir fs.FS) ([]photo, error) {
	names, err := fs.Glob(dir, "images/amsterdam/*.jpg")
	if err != nil {
		return nil, err
	}
	var all []photo
	for i := 3; i < len(names) && len(all) < 3; i += 23 {
		p, err := open(dir, names[i])
		if err != nil {
			return nil, err
		}
		if p.img.Rect.Dx() > p.img.Rect.Dy() {
			all = append(all, p)
		}
	}
	return all, nil
}

func open(dir fs.FS, name string) (photo, error) {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return photo{}, err
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return photo{}, fmt.Errorf("%s: %w", name, err)
	}
	coloured, ok := img.(*image.YCbCr)
	if !ok {
		return photo{}, fmt.Errorf("%s: %T, want a picture in YCbCr", name, img)
	}
	return photo{path.Base(name), coloured, coloured.Rect.Max.Div(2)}, nil
}

// settle cuts what the camera sees out of each photo.
func (s *stage) settle(all []photo) error {
	for _, p := range all {
		free := p.img.Rect.Max.Sub(s.frame)
		if free.X < 0 || free.Y < 0 {
			return fmt.Errorf("%s: %v, want at least %v", p.name, p.img.Rect.Max, s.frame)
		}
		corner := p.at.Sub(s.box.Min.Add(s.box.Max).Div(2))
		corner.X, corner.Y = min(max(corner.X, 0), free.X)&^1, min(max(corner.Y, 0), free.Y)&^1
		s.grounds = append(s.grounds, window(p.img, image.Rectangle{Min: corner, Max: corner.Add(s.frame)}))
	}
	return nil
}
