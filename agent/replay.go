package agent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"gadeblik/capture"
	"gadeblik/gps"
)

// ReplayConfig is what a replay needs beside its pipeline: a drive and the plan
// that it is looked at with.
type ReplayConfig struct {
	Pipeline PipelineConfig
	Drive    *capture.Drive
	Plan     *Plan
	// Progress, if set, is told after each frame how many were played.
	Progress func(frames int)
}

// ReplaySummary says what a replay went through.
type ReplaySummary struct {
	Counters Counters
	GPS      gps.Counters
}

// Replay plays a drive through a pipeline with the switch on, as fast as it
// goes: one goroutine over events ordered by time, fixes before frames. The same
// drive, plan and models give the same products, byte for byte.
func Replay(ctx context.Context, cfg ReplayConfig) (ReplaySummary, error) {
	r := replay{
		pipe:          NewPipeline(cfg.Pipeline),
		decoder:       gps.NewDecoder(gps.DecoderConfig{}),
		metresPerHDOP: cmp.Or(cfg.Pipeline.Fence.MetresPerHDOP, metresPerHDOP),
	}
	if err := r.pipe.SetPlan(cfg.Plan); err != nil {
		return ReplaySummary{}, err
	}
	r.pipe.SetSwitch(true)
	err := r.play(ctx, cfg)
	if err == nil {
		err = r.pipe.Finish()
	}
	return ReplaySummary{Counters: r.pipe.Counters(), GPS: r.decoder.Counters()}, err
}

type replay struct {
	pipe    *Pipeline
	decoder *gps.Decoder
	frames  int
	err     error // of the sink, seen in a fix

	metresPerHDOP float64
	last          orb.Point // newest position of a drive without sentences
	lastAt        time.Time
}

func (r *replay) play(ctx context.Context, cfg ReplayConfig) error {
	for ev, err := range cfg.Drive.Events() {
		if err != nil {
			return err
		}
		if err := errors.Join(r.event(ctx, ev), r.err, ctx.Err()); err != nil {
			return err
		}
		if cfg.Progress != nil && (ev.Frame != nil || ev.Damaged != nil) {
			r.frames++
			cfg.Progress(r.frames)
		}
	}
	return nil
}

func (r *replay) event(ctx context.Context, ev capture.Event) error {
	switch {
	case ev.NMEA != nil:
		r.decoder.Write(ev.NMEA, ev.At, r.fix)
	case ev.Location != nil:
		r.fix(r.located(ev))
	case ev.Damaged != nil:
		return r.pipe.Damaged(ev.At)
	case ev.Frame != nil:
		// The sentences before this frame are complete, though what would end
		// their epoch, the next second's, has not come.
		r.decoder.Flush(ev.At, r.fix)
		if r.err != nil {
			ev.Frame.Release()
			return r.err
		}
		return r.pipe.Frame(ctx, ev.Frame)
	}
	return nil
}

func (r *replay) fix(f gps.Fix) {
	if err := r.pipe.Fix(f); err != nil {
		r.err = errors.Join(r.err, err)
	}
}

// located makes a fix of a position that came without sentences. Such a
// recording says nothing of satellites: it was vouched for by whoever made it.
func (r *replay) located(ev capture.Event) gps.Fix {
	l := ev.Location
	f := gps.Fix{
		At: ev.At, Time: ev.At, Valid: l.Valid, Lat: l.Lat, Lon: l.Lon,
		Quality: gps.Autonomous, HDOP: l.Accuracy / r.metresPerHDOP,
		Satellites: recordedSatellites, Speed: -1, Course: -1,
	}
	here := orb.Point{l.Lon, l.Lat}
	if dt := ev.At.Sub(r.lastAt).Seconds(); !r.lastAt.IsZero() && dt > 0 && dt < maxLocationGap && l.Valid {
		f.Speed = geo.Distance(r.last, here) / dt
	}
	if l.Valid {
		r.last, r.lastAt = here, ev.At
	}
	return f
}

const (
	// metresPerHDOP is the fence's default: it turns an accuracy in metres into
	// the dilution that the fence turns back into metres.
	metresPerHDOP = 5
	// recordedSatellites stands for "enough" where a recording does not say.
	recordedSatellites = 8
	// maxLocationGap is how many seconds may lie between two positions for
	// their distance to be a speed.
	maxLocationGap = 5
)
