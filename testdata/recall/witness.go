package main

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// witness is a model that looks at what came out.
type witness struct {
	class, model string
	weights      string // with which the names of all models begin that have the same
	kin          string // what else it has in common with models that take part; empty for nothing
}

// witnesses are all that the catalogue has and can decode, at the scores of their
// manifests, but for further sizes of the same weights: these overlook the same. Where
// the weights take part in a way, its figure is marked.
func witnesses() []witness {
	const teacher = "it taught the built-in models what a human then judged"
	return []witness{
		{"person", "lwpd_person_640x384", "lwpd_person", ""},
		{"person", "yolox_nano_1280x736", "yolox_nano", teacher},
		{"face", "yunet_s_1280x736", "yunet_s", "a smaller sister of yunet_n, taught with the same pictures"},
		{"face", "ultraface_1280x960", "ultraface", ""},
		{"face", "yunet_n_640x640", "yunet_n", "a larger sister of yunet_s; " + teacher},
		{"plate", "ch_PP-OCRv3_det", "ch_PP-OCRv3_det", "a sister of en_PP-OCRv3_det, which taught the built-in model; itself taught with other text"},
	}
}

// insideFrom is the share of a hit that must lie in what was removed for the hit to be
// of the fill and not of the picture.
const insideFrom = 0.9

// residue returns what one witness still finds in an outcome; nothing in one that is
// dropped.
func (w witness) residue(ctx context.Context, e *eyes, o outcome) ([]image.Rectangle, error) {
	if o.dropped != "" {
		return nil, nil
	}
	found, err := w.find(ctx, e, o.jpeg)
	var left []image.Rectangle
	for _, d := range found {
		if o.removed == nil || o.removed.share(d.Box) < insideFrom {
			left = append(left, d.Box)
		}
	}
	return left, err
}

func (w witness) find(ctx context.Context, e *eyes, jpeg []byte) ([]inference.Detection, error) {
	found, err := e.look(ctx, w.model, jpeg)
	if err != nil {
		return nil, fmt.Errorf("let %s look: %w", w.model, err)
	}
	return slices.DeleteFunc(found, func(d inference.Detection) bool { return d.Label != w.class }), nil
}

// sent is a picture as a task sends it by default, of the surest container or bag that
// the built-in model sees: what surrounds the object is coarse and counts as removed.
// ok is false where there is none, and so no picture would be taken.
func sent(ctx context.Context, e *eyes, with choice, jpeg []byte) (o outcome, ok bool, err error) {
	keep, err := worthSending(ctx, e, jpeg)
	if err != nil || keep.Empty() {
		return outcome{}, false, err
	}
	redactor, err := with.redactor(e)
	if err != nil {
		return outcome{}, false, err
	}
	o, err = apply(ctx, redactor, jpeg, blur.Request{Keep: keep, Context: blur.Coarse})
	if err != nil || o.dropped != "" {
		return o, true, err
	}
	sharp, err := leftSharp(ctx, jpeg, keep)
	o.removed.addOutside(sharp)
	return o, true, err
}

func worthSending(ctx context.Context, e *eyes, jpeg []byte) (image.Rectangle, error) {
	found, err := e.look(ctx, catalogue.Street, jpeg)
	best, score := image.Rectangle{}, math.Inf(-1)
	for _, d := range found {
		if (d.Label == "container" || d.Label == "bag") && d.Score > score {
			best, score = d.Box, d.Score
		}
	}
	return best, err
}

// leftSharp returns what a request to keep an object leaves as it is: the same that a
// crop leaves at all.
func leftSharp(ctx context.Context, jpeg []byte, keep image.Rectangle) (image.Rectangle, error) {
	src, err := blur.Open(jpeg)
	if err != nil {
		return image.Rectangle{}, err
	}
	defer src.Close()
	crop, err := blur.Redact(ctx, src, blur.Request{Keep: keep, Context: blur.Crop})
	if err != nil {
		return image.Rectangle{}, err
	}
	return crop.Bounds().Add(crop.Offset()), nil
}
