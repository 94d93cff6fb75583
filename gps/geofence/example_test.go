package geofence_test

import (
	"fmt"
	"log"
	"time"

	"gadeblik/gps/geofence"

	"github.com/paulmach/orb"
)

const orders = `{
  "type": "FeatureCollection",
  "features": [{
    "type": "Feature", "id": "market", "properties": {"name": "Market square"},
    "geometry": {"type": "Polygon", "coordinates": [
      [[12.570, 55.670], [12.580, 55.670], [12.580, 55.680], [12.570, 55.680], [12.570, 55.670]],
      [[12.574, 55.674], [12.576, 55.674], [12.576, 55.676], [12.574, 55.676], [12.574, 55.674]]
    ]}
  }]
}`

func market() *geofence.Index {
	zones, err := geofence.ParseZones([]byte(orders))
	if err != nil {
		log.Fatal(err)
	}
	index, err := geofence.NewIndex(zones)
	if err != nil {
		log.Fatal(err)
	}
	return index
}

func ExampleIndex_Containing() {
	index := market()
	for _, p := range []orb.Point{{12.572, 55.672}, {12.575, 55.675}, {12.590, 55.672}} {
		for _, i := range index.Containing(p, 20, nil) {
			fmt.Println(p, index.Zone(i).Name)
		}
	}
	// Output: [12.572 55.672] Market square
}

func ExampleTracker() {
	tracker := geofence.NewTracker(market(), geofence.TrackerConfig{})
	start := time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)
	for i := range 7 {
		fix := geofence.Position{
			At:    start.Add(time.Duration(i) * time.Second),
			Point: orb.Point{12.5688 + 0.0004*float64(i), 55.672}, // 25 m further east each second
			Valid: true, HDOP: 1, Satellites: 9, Speed: 25,
		}
		if i == 6 {
			fix.HDOP = 12
		}
		tracker.Observe(fix)
		zones, reason := tracker.Inside(fix.At)
		fmt.Println(i, zones, reason)
	}
	_, reason := tracker.Inside(start.Add(time.Minute))
	fmt.Println("a minute later", reason)
	// Output:
	// 0 [] outside
	// 1 [] outside
	// 2 [] outside
	// 3 [] outside
	// 4 [] settling
	// 5 [] settling
	// 6 [] poor_accuracy
	// a minute later stale_fix
}

func ExampleNewZone() {
	_, err := geofence.NewZone("market", "Market square", orb.Polygon{{{12.57, 55.67}, {12.58, 55.67}}})
	fmt.Println(err)
	// Output: zone "market": outer ring: 2 points: a ring needs at least 4, the last equal to the first
}
