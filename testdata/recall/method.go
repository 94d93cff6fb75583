package main

import (
	"context"
	"image"
	"time"

	"gadeblik/agent"
	"gadeblik/blur"
)

// method is one way to take people out of a picture.
type method struct {
	name  string
	with  string // what it looks with, in words
	looks choice
	own   bool // whether it is the product's
	// redact returns what is left of a picture. An outcome that is dropped is no error:
	// no picture leaves, so nobody is seen.
	redact func(ctx context.Context, e *eyes, jpeg []byte) (outcome, error)
}

// outcome is what one method made of one picture.
type outcome struct {
	removed *area
	jpeg    []byte
	dropped string // why no picture leaves; empty if one does

	first *area // what the first look alone removes; nil of a stranger
	again again // what the second look had to do with it
}

// methods returns all that are compared, the stranger first.
func methods(config string) ([]method, error) {
	example, err := configured(config)
	if err != nil {
		return nil, err
	}
	return []method{
		{name: plainMethod, with: plainWith, looks: plainLooks(), redact: plainPass},
		ours("built-in", byItself()),
		ours(exampleMethod, example),
		ours("largest", largest()),
	}, nil
}

const (
	plainMethod   = "plain pass" // what ours are compared with
	exampleMethod = "example"    // whose pictures are looked at as they are sent, too
)

// patience is how long a look may take: what the machine does beside must not decide
// what is found.
const patience = time.Minute

// ours is the product's own redactor with these models. What it is given to work with
// is decided here and nowhere else in this command.
func ours(name string, with choice) method {
	redact := func(ctx context.Context, e *eyes, jpeg []byte) (outcome, error) {
		redactor, err := with.redactor(e)
		if err != nil {
			return outcome{}, err
		}
		o, err := apply(ctx, redactor, jpeg, blur.Request{Context: blur.Full})
		if err != nil {
			return outcome{}, err
		}
		return o, o.compare(ctx, e, with, jpeg)
	}
	return method{name: name, with: with.String(), looks: with, own: true, redact: redact}
}

// apply redacts a picture. Whatever the redactor refuses is dropped, as in a vehicle.
func apply(ctx context.Context, r *agent.Redactor, jpeg []byte, req blur.Request) (outcome, error) {
	src, err := blur.Open(jpeg)
	if err != nil {
		return outcome{}, err
	}
	defer src.Close()
	size := src.Bounds().Size()
	got, err := r.Redact(ctx, src, req)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	o := outcome{removed: newArea(size)}
	if got.Second != nil {
		o.again = again{looked: true, grown: got.Second.Grown, counts: got.Second.Hits}
	}
	if err != nil {
		o.removed.addBox(image.Rectangle{Max: size})
		o.dropped = err.Error()
		o.again.still, err = stillVisible(err)
		return o, err
	}
	for _, region := range got.Image.Regions() {
		o.removed.addBox(region.Box.Add(got.Image.Offset()))
	}
	o.jpeg = got.Image.JPEG()
	return o, nil
}
