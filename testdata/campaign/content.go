package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"math/rand/v2"
	"time"

	"gadeblik/blur"
	"gadeblik/uplink"
)

const (
	fleetName = "campaign"
	taskName  = "containers-without-permit"
)

// album holds redacted pictures of several sizes, from one message to several parts.
type album []*blur.Image

// newAlbum makes a picture of at least so many bytes, or three of different sizes
// where it is 0.
func newAlbum(bytes int) (album, error) {
	if bytes > 0 {
		return pictureOf(bytes)
	}
	var a album
	for _, size := range []image.Point{{128, 96}, {320, 240}, {640, 480}} {
		img, err := noise(size)
		if err != nil {
			return nil, err
		}
		a = append(a, img)
	}
	return a, nil
}

// pictureOf looks for the size at which noise comes to so many bytes.
func pictureOf(bytes int) (album, error) {
	for width := 64; ; width += 16 {
		img, err := noise(image.Pt(width, width))
		if err != nil || len(img.JPEG()) >= bytes {
			return album{img}, err
		}
	}
}

// noise is a picture that hardly compresses.
func noise(size image.Point) (*blur.Image, error) {
	rng := rand.New(rand.NewPCG(uint64(size.X), 1))
	img := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		for i := range plane {
			plane[i] = byte(96 + rng.IntN(64))
		}
	}
	src, err := blur.FromYCbCr(img)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return blur.Redact(context.Background(), src, blur.Request{Context: blur.Full})
}

// began is when a campaign's observations begin, by their own word.
var began = time.Date(2026, 5, 4, 6, 0, 0, 0, time.UTC)

// finding is observation number n of a vehicle, the same every time. Where pictures
// are of several sizes, each fourth observation is a number instead.
func finding(vehicle string, n int, pictures album) (uplink.Observation, *uplink.Evidence, error) {
	at := began.Add(time.Duration(n) * time.Second)
	o := uplink.Observation{
		ID:      uplink.NewID(vehicle, taskName, at, 1),
		Vehicle: vehicle, Task: taskName, OrdersVersion: 1, Purpose: "Find containers without a permit",
		Kind: uplink.Count, Counts: map[string]int{"container": n%7 + 1}, Looks: 12,
		Time:     uplink.Time{UTC: at, Source: "gps"},
		Position: uplink.Position{Lat: 55.6761 + float64(n%1000)/1e5, Lon: 12.5683, HDOP: 0.9},
		Zone:     "inner-city", Agent: "campaign",
	}
	if len(pictures) > 1 && n%4 == 3 {
		return o, nil, nil
	}
	o.Kind, o.Counts, o.Looks = uplink.Finding, nil, 0
	o.Object = &uplink.Object{Label: "container", Score: 0.8, Box: [4]int{10, 10, 90, 80}}
	o.Assessment = &uplink.Assessment{Primary: "gadeblik_street", Verdict: uplink.Confirmed}
	o.Redaction = &uplink.Redaction{Mode: "veil", Regions: map[string]int{"person": 0, "face": 0, "plate": 0}}
	e, err := uplink.NewEvidence(pictures[n%len(pictures)], uplink.TagsOf(o))
	if err != nil {
		return o, nil, err
	}
	ref := e.Ref()
	o.Image = &ref
	return o, e, nil
}

// digests are what must arrive.
func digests(o uplink.Observation, e *uplink.Evidence) (observation, picture string, err error) {
	data, err := json.Marshal(o)
	if err != nil {
		return "", "", err
	}
	if e != nil {
		picture = digest(e.JPEG())
	}
	return digest(data), picture, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
