package capture_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"time"

	"gadeblik/capture"
)

// A look every ten metres, for fixes that are four metres apart.
func ExampleSampler() {
	var s capture.Sampler
	at := time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)
	for i := range 8 {
		lat := 55.6729 + float64(i)*4/111195
		if s.Look(lat, 12.5642, at.Add(time.Duration(i)*time.Second), 10) {
			fmt.Printf("look after %d m\n", i*4)
		}
	}
	// Output:
	// look after 0 m
	// look after 12 m
	// look after 24 m
}

func ExampleFixMJPEG() {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		log.Fatal(err)
	}
	whole := b.Bytes()
	// A camera's buffer is larger than the picture in it.
	_, info, err := capture.FixMJPEG(append(bytes.Clone(whole), make([]byte, 100)...))
	fmt.Println(info.Width, info.Height, info.Trimmed, err)
	_, _, err = capture.FixMJPEG(whole[:len(whole)-2])
	fmt.Println(err)
	// Output:
	// 64 48 100 <nil>
	// damaged picture: cut off before its end marker
}

func ExampleSlot() {
	s := capture.NewSlot()
	s.Put(&capture.Frame{Seq: 1})
	s.Put(&capture.Frame{Seq: 2}) // nobody took the first
	f, err := s.Take(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Release()
	fmt.Println(f.Seq, s.Dropped())
	// Output: 2 1
}

func ExampleDrive_Events() {
	d, err := capture.OpenDrive("testdata/drives/street")
	if err != nil {
		fmt.Println("no drive here")
		return
	}
	for ev, err := range d.Events() {
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case ev.Frame != nil:
			fmt.Println(ev.At, ev.Frame.Width, ev.Frame.Height)
			ev.Frame.Release()
		case ev.NMEA != nil:
			fmt.Printf("%s %s", ev.At, ev.NMEA)
		case ev.Damaged != nil:
			fmt.Println(ev.Damaged)
		}
	}
}
