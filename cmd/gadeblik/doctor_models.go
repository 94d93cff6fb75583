package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"time"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference/onnx"
)

// eyes looks at what looks: the library, the models and how fast they are. It is one
// look, because a process has one ONNX Runtime, opened once at a time.
func (v *visit) eyes(ctx context.Context) []checkup {
	lines := []checkup{checkRuntime(v.cfg), checkModelFiles(v.cfg)}
	if lines[0].State == ill || lines[1].State == ill {
		return lines // said already
	}
	return append(lines, timeLook(ctx, v.cfg))
}

func checkRuntime(cfg *config.Config) checkup {
	path, err := onnx.Find(cfg.Models.ONNXRuntime)
	version := ""
	if err == nil {
		var rt *onnx.Runtime
		if rt, err = onnx.Open(path); err == nil {
			version = "ONNX Runtime " + rt.Version() + " at " + path
		}
	}
	return verdict("runtime", err, version, "install the gadeblik package anew, or in a checkout run `make deps`; or name the library in models.onnxruntime")
}

// slowLook is how long a look may take before a vehicle at walking pace has passed
// what it looks at.
const slowLook = 2 * time.Second

// timeLook lets the configured detector look once at a drawn picture of the camera's
// size. Loading it has run it once, so this is no first time.
func timeLook(ctx context.Context, cfg *config.Config) (c checkup) {
	const part = "look"
	src, err := blur.FromYCbCr(drawn(cfg.Camera.Width, cfg.Camera.Height))
	if err != nil {
		return checkup{part, ill, err.Error(), ""}
	}
	defer src.Close()
	d, err := loading{lib: cfg.Models.ONNXRuntime, dir: cfg.Models.Dir, threads: cfg.Models.Threads}.load([]string{cfg.Models.Detector})
	if err != nil {
		return verdict(part, err, "", "")
	}
	defer func() {
		if err := d.close(); err != nil {
			c = checkup{part, ill, err.Error(), ""}
		}
	}()
	began := time.Now()
	_, err = agent.Look(ctx, d.byName[cfg.Models.Detector], src, nil)
	return judgeLook(cfg.Models, time.Since(began), err)
}

func judgeLook(m config.Models, took time.Duration, err error) checkup {
	const part, mend = "look", "choose a smaller model in models.detector, or raise models.threads to the number of cores; `gadeblik models bench` compares"
	says := fmt.Sprintf("one look of %s takes %d ms here", m.Detector, took.Milliseconds())
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return checkup{part, ill, fmt.Sprintf("%s did not finish one look in %s", m.Detector, lookWithin), mend}
	case err != nil:
		return checkup{part, ill, err.Error(), "fetch the model anew"}
	case took > m.Timeout:
		return checkup{part, ill, fmt.Sprintf("%s, and models.timeout gives it %s: every picture is dropped", says, m.Timeout), mend}
	case took > slowLook:
		return checkup{part, doubt, says, mend}
	}
	return checkup{part, healthy, says, ""}
}

// drawn is a picture of nothing: a soft gradient.
func drawn(width, height int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = byte(64 + i%img.YStride*128/img.YStride)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	return img
}

func checkModelFiles(cfg *config.Config) checkup {
	models, err := checkModels(cfg)
	if err != nil {
		return verdict("models", err, "", "")
	}
	var all []string
	for _, name := range models.Names() {
		all = append(all, name+" ("+place(models.Detectors[name].Manifest())+")")
	}
	state, says, mend := healthy, "every model is there with the right sha256: "+strings.Join(all, ", "), ""
	var name []string
	if alone := unaided(models); len(alone) > 0 {
		says += fmt.Sprintf("; of %s, only what a built-in model finds is removed, and it misses more than public ones", strings.Join(alone, ", "))
		name = append(name, "models.redact")
	}
	if once := lookedOnce(models); len(once) > 0 {
		says += fmt.Sprintf("; no other model looks a second time for %s", strings.Join(once, ", "))
		name = append(name, "models.second_look")
	}
	if len(name) > 0 {
		state = doubt
		mend = fmt.Sprintf("on the road, name more in %s, as the example configuration does: `gadeblik models fetch --dir %s`", strings.Join(name, " and "), cfg.Models.Dir)
	}
	return checkup{"models", state, says, mend}
}

// lookedOnce names the classes for which no model looks at the redacted picture.
func lookedOnce(models *agent.Models) []string {
	var once []string
	for _, p := range preferred.removed {
		if !slices.ContainsFunc(models.SecondLook, func(r agent.RedactModel) bool { return r.Class == p.class }) {
			once = append(once, string(p.class))
		}
	}
	slices.Sort(once)
	return once
}

// unaided names the classes that no model but a built-in one removes.
func unaided(models *agent.Models) []string {
	aided := map[blur.Class]bool{}
	for _, r := range models.Redact {
		m := models.Detectors[r.Model].Manifest()
		aided[r.Class] = aided[r.Class] || !m.BuiltIn()
	}
	var alone []string
	for class, yes := range aided {
		if !yes {
			alone = append(alone, string(class))
		}
	}
	slices.Sort(alone)
	return alone
}
