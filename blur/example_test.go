package blur_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log"

	"gadeblik/blur"
)

// A camera's picture becomes one that may leave the vehicle: the face is gone,
// the container is sharp, and of all else there are coarse means.
func ExampleRedact() {
	var camera bytes.Buffer
	if err := jpeg.Encode(&camera, image.NewYCbCr(image.Rect(0, 0, 640, 480), image.YCbCrSubsampleRatio420), nil); err != nil {
		log.Fatal(err)
	}
	s, err := blur.Open(camera.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	m, err := blur.Redact(context.Background(), s, blur.Request{
		Regions: []blur.Region{{Class: blur.Face, Box: image.Rect(300, 100, 330, 140)}},
		Keep:    image.Rect(200, 200, 400, 400),
	})
	if err != nil {
		log.Fatal(err) // there is no image then: the frame is dropped
	}
	fmt.Println(m.Bounds(), m.Regions())
	// Output: (0,0)-(640,480) [{face (272,80)-(352,160)}]
}

// A crop has its own coordinates; Offset leads back to those of the source.
func ExampleImage_Offset() {
	s, err := blur.FromYCbCr(image.NewYCbCr(image.Rect(0, 0, 640, 480), image.YCbCrSubsampleRatio422))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	container := image.Rect(200, 200, 400, 400)
	m, err := blur.Redact(context.Background(), s, blur.Request{Keep: container, Context: blur.Crop})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Bounds(), "the container is at", container.Sub(m.Offset()))
	// Output: (0,0)-(256,256) the container is at (24,24)-(224,224)
}
