package gps_test

import (
	"context"
	"fmt"
	"time"

	"gadeblik/gps"
)

// One epoch is two sentences with the same time of day. A third sentence that
// is damaged, and noise between them, do no harm.
func ExampleDecoder() {
	stream := "noise\r\n" +
		"$GNRMC,081000.00,A,5540.3740,N,01233.8520,E,3.993,244.56,120526,,,A*72\r\n" +
		"$GNGGA,081000.00,5540.3740,N,01233.8520,E,1,11,0.10,8.0,M,40.0,M,,*46\r\n" + // should be 0.90
		"$GNGGA,081000.00,5540.3740,N,01233.8520,E,1,11,0.90,8.0,M,40.0,M,,*46\r\n"

	d := gps.NewDecoder(gps.DecoderConfig{})
	d.Write([]byte(stream), time.Now(), func(f gps.Fix) {
		fmt.Println(f.Time.Format(time.RFC3339), f.Valid, f.Quality)
		fmt.Printf("%.5f %.5f, HDOP %.1f, %.1f m/s, %.0f degrees\n", f.Lat, f.Lon, f.HDOP, f.Speed, f.Course)
	})
	fmt.Println(d.Counters().BadChecksum, "damaged")
	// Output:
	// 2026-05-12T08:10:00Z true autonomous
	// 55.67290 12.56420, HDOP 0.9, 2.1 m/s, 245 degrees
	// 1 damaged
}

// What a receiver does not say is unknown, and told apart from zero.
func ExampleFix() {
	d := gps.NewDecoder(gps.DecoderConfig{})
	emit := func(f gps.Fix) {
		fmt.Println("valid:", f.Valid, "HDOP known:", f.HDOP > 0, "satellites known:", f.Satellites >= 0)
	}
	d.Write([]byte("$GPRMC,194913.00,A,5241.99751,N,00517.56393,E,0.012,,010809,,,A*7C\r\n"), time.Now(), emit)
	d.Flush(time.Now(), emit)
	// Output:
	// valid: true HDOP known: false satellites known: false
}

// Where the vehicle was when a frame was taken, a third of the way from one fix
// to the next.
func ExampleBetween() {
	begin := time.Now()
	a := gps.Fix{At: begin, Valid: true, Lat: 55.6729, Lon: 12.5642, HDOP: 0.9, Satellites: 11, Speed: 4, Course: 350}
	b := gps.Fix{At: begin.Add(900 * time.Millisecond), Valid: true, Lat: 55.67293, Lon: 12.5642, HDOP: 1.2, Satellites: 9, Speed: 7, Course: 20}
	f, ok := gps.Between(a, b, begin.Add(300*time.Millisecond))
	fmt.Println(ok)
	fmt.Printf("%.5f %.5f, HDOP %.1f, %.1f m/s, %.0f degrees\n", f.Lat, f.Lon, f.HDOP, f.Speed, f.Course)
	_, ok = gps.Between(a, b, begin.Add(time.Minute))
	fmt.Println(ok)
	// Output:
	// true
	// 55.67291 12.56420, HDOP 1.2, 5.0 m/s, 0 degrees
	// false
}

// The host's clock stands in 1970; after three consistent seconds the time is
// known nevertheless, also between fixes.
func ExampleClock() {
	boot := time.Unix(12, 0)
	utc := time.Date(2026, 5, 12, 8, 10, 0, 0, time.UTC)
	c := gps.NewClock(gps.ClockConfig{Floor: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)})
	for i := range 3 {
		d := time.Duration(i) * time.Second
		c.Observe(gps.Fix{At: boot.Add(d), Time: utc.Add(d), Valid: true})
		_, _, ok := c.UTC(boot.Add(d))
		fmt.Println(ok)
	}
	now, source, _ := c.UTC(boot.Add(2500 * time.Millisecond))
	fmt.Println(now.Format(time.RFC3339Nano), source)
	// Output:
	// false
	// false
	// true
	// 2026-05-12T08:10:02.5Z gps
}

// Run does not try again; whoever calls it does, with a pause of its choice.
func ExampleReceiver() {
	r, err := gps.NewReceiver(gps.ReceiverConfig{Device: "/dev/serial/by-id/no-such-receiver"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(r.Run(ctx, func(gps.Fix) {}))
	// Output:
	// open gps /dev/serial/by-id/no-such-receiver: no such file or directory; plug the receiver in, or name it as listed in /dev/serial/by-id
}
