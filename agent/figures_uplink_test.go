//go:build figures && linux

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"gadeblik/blur"
	"gadeblik/uplink"
)

// roundTrip is that of a mobile network.
const roundTrip = 50 * time.Millisecond

// figureBroker runs a broker until the test ends, and returns its address.
func figureBroker(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := mqtt.New(&mqtt.Options{
		Capabilities: mqtt.NewDefaultServerCapabilities(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err := errors.Join(
		server.AddHook(new(auth.AllowHook), nil),
		server.AddListener(listeners.NewNet("figures", l)),
		server.Serve(),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// distant puts half a round trip between an address and whoever dials what it
// returns, each way, and no other limit.
func distant(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // the test ends
			}
			broker, err := net.Dial("tcp", address)
			if err != nil {
				near.Close()
				continue
			}
			work.Go(func() { delayed(near, broker) })
			work.Go(func() { delayed(broker, near) })
		}
	})
	return l.Addr().String()
}

// delayed carries bytes one way until either end closes.
func delayed(to, from net.Conn) {
	type parcel struct {
		bytes []byte
		due   time.Time
	}
	road := make(chan parcel, 1<<14) // more than is ever on its way
	var arriving sync.WaitGroup
	arriving.Go(func() {
		for p := range road {
			time.Sleep(time.Until(p.due))
			to.Write(p.bytes) // its end shows at the other side
		}
		to.Close()
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			road <- parcel{append([]byte(nil), buffer[:n]...), time.Now().Add(roundTrip / 2)}
		}
		if err != nil {
			break
		}
	}
	close(road)
	arriving.Wait()
	from.Close()
}

// evidencePicture is a redacted picture of about 100 KB.
func evidencePicture(t *testing.T) *blur.Image {
	t.Helper()
	data, _ := figurePicture(t)
	frame := planesOf(t, data)
	for quality := pictureQuality; ; quality -= 8 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, frame, &jpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		if img := redactedOnce(t, b.Bytes()); len(img.JPEG()) <= 105_000 || quality <= 10 {
			return img
		}
	}
}

// findingWith is finding number n and its picture.
func findingWith(t *testing.T, img *blur.Image, n int) (uplink.Observation, *uplink.Evidence) {
	t.Helper()
	o := counting(n)
	o.Kind, o.Counts, o.Looks = uplink.Finding, nil, 0
	o.Object = &uplink.Object{Label: "bin", Score: 0.8, Box: [4]int{100, 100, 300, 300}}
	o.Assessment = &uplink.Assessment{Primary: "yolox_nano", Verdict: uplink.Confirmed}
	o.Redaction = &uplink.Redaction{Mode: "veil", Regions: map[string]int{"person": 5, "face": 0, "plate": 0}}
	e, err := uplink.NewEvidence(img, uplink.TagsOf(o))
	if err != nil {
		t.Fatal(err)
	}
	ref := e.Ref()
	o.Image = &ref
	return o, e
}

// counting is observation number n, of numbers alone.
func counting(n int) uplink.Observation {
	at := began.Add(time.Duration(n) * time.Second)
	return uplink.Observation{
		ID:      uplink.NewID("sweeper-07", "bins", at, 1),
		Vehicle: "sweeper-07", Task: "bins", OrdersVersion: 1, Purpose: "Find bins without a permit",
		Kind: uplink.Count, Counts: map[string]int{"bin": 3}, Looks: 12,
		Time:     uplink.Time{UTC: at, Source: "gps"},
		Position: uplink.Position{Lat: streetLat, Lon: streetLon, HDOP: 0.9},
		Zone:     "street", Agent: "figures",
	}
}

func filled(t *testing.T, dir string, items int, img *blur.Image) *uplink.Outbox {
	t.Helper()
	b, _, err := uplink.OpenOutbox(dir, uplink.OutboxConfig{Seal: sealer(t)})
	if err != nil {
		t.Fatal(err)
	}
	for n := range items {
		o, e := counting(n), (*uplink.Evidence)(nil)
		if img != nil {
			o, e = findingWith(t, img, n)
		}
		if err := b.Put(o, e, uplink.Terms{Day: "2026-06-02"}); err != nil {
			t.Fatal(errors.Join(err, b.Close()))
		}
	}
	return b
}

// publishing times the publication of so many items, in nanoseconds for each,
// from the moment that the connection stands.
func publishing(t *testing.T, broker string, inFlight, items int, img *blur.Image) side {
	rounds := 0
	return func() (cost float64, err error) {
		rounds++
		dir := filepath.Join(t.TempDir(), fmt.Sprint("outbox-", rounds))
		outbox := filled(t, dir, items, img)
		defer func() { err = errors.Join(err, outbox.Close()) }()
		link, err := uplink.NewLink(uplink.LinkConfig{
			Broker: "tcp://" + broker, Fleet: "figures", Vehicle: "sweeper-07",
			Outbox: outbox, Ack: uplink.AckPuback, InFlight: inFlight,
		})
		if err != nil {
			return 0, err
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- link.Run(ctx) }()
		cost, err = published(link, items, ended)
		stop()
		return cost, errors.Join(err, <-ended)
	}
}

// published waits until so many items have been acknowledged.
func published(link *uplink.Link, items int, ended chan error) (float64, error) {
	var connected time.Time
	for {
		select {
		case err := <-ended:
			ended <- nil
			return 0, fmt.Errorf("the link ended after %d items: %w", link.Stats().Published, orEOF(err))
		case <-time.After(time.Millisecond):
		}
		switch {
		case connected.IsZero() && link.Connected():
			connected = time.Now()
		case link.Stats().Published == uint64(items):
			return float64(time.Since(connected)) / float64(items), nil
		}
	}
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

func publishFigures(t *testing.T) []row {
	r := row{what: "publish, 16 in flight / 1 in flight, 50 ms round trip", bar: "≥ 10"}
	broker := distant(t, figureBroker(t))
	img := evidencePicture(t)
	pictures := inTurns(t, 6, publishing(t, broker, 1, 10, img), publishing(t, broker, 16, 80, img))
	numbers := inTurns(t, 6, publishing(t, broker, 1, 20, nil), publishing(t, broker, 16, 160, nil))
	speedup := pictures[0].over(pictures[1])
	r.measured, r.result = speedup.with(1, ""), judged(10, speedup.median())
	r.note = fmt.Sprintf("items a second: %s for a finding and its picture of %d KB, two messages; %s for numbers alone, one message "+
		"(a ratio of %.1f); outbox on disk, items removed as they are acknowledged%s",
		perSecond(pictures), len(img.JPEG())/1000, perSecond(numbers), numbers[0].over(numbers[1]).median(),
		r.result.unless("removing an item waits for the disk; group commit in the outbox brings fewer such waits"))
	return []row{r}
}

// perSecond writes how many items went out with 16 and with 1 in flight.
func perSecond(costs []series) string {
	return fmt.Sprintf("%.1f / %.1f", 1e9/costs[1].median(), 1e9/costs[0].median())
}
