package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/capture/v4l2"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/gps"
	"gadeblik/inference/onnx"
	"gadeblik/uplink"
)

// checkup is one line of the doctor's: what was looked at, how it is, and the
// mend where something is wrong.
type checkup struct {
	Part  string `json:"part"`
	State string `json:"state"` // ok, warn, fail
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"`
}

const (
	healthy = "ok"
	doubt   = "warn"
	ill     = "fail"
)

func newDoctor(std stdio) *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at devices, models, broker, clock and disk: what is wrong, and the mend",
		Long: `Look at everything this vehicle needs, one line each: ok, warn or fail, and the
mend. It opens the GPS for a few seconds and connects to the broker; stop the
agent first. The exit code is 1 where something fails.`,
		Example: "  gadeblik doctor --config /etc/gadeblik/gadeblik.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return doctor(cmd, std, path, asJSON)
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "", "configuration file (default: $GADEBLIK_CONFIG)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	config.AddFlags(c.Flags())
	return c
}

func doctor(cmd *cobra.Command, std stdio, path string, asJSON bool) error {
	cfg, err := config.Load(config.Options{Path: path, Env: os.Environ(), Flags: cmd.Flags()})
	if err != nil {
		return err
	}
	failed := 0
	for _, look := range []func(context.Context, *config.Config) checkup{
		checkVehicle, checkRuntime, checkModelFiles, checkOrderFiles, checkSealing, checkDisk,
		checkSwap, checkCores, checkSwitch, checkButton, checkLamp, checkClock, checkCamera, checkGPS, checkBroker,
	} {
		c := look(cmd.Context(), cfg)
		if c.State == ill {
			failed++
		}
		if err := c.print(std, asJSON); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of the things this vehicle needs are missing or broken", failed)
	}
	return nil
}

func (c checkup) print(std stdio, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.out).Encode(c)
	}
	line := fmt.Sprintf("%-5s %-9s %s\n", c.State, c.Part, strings.ReplaceAll(c.Says, "\n", "; "))
	if c.Mend != "" {
		line += fmt.Sprintf("%-15s → %s\n", "", c.Mend)
	}
	_, err := fmt.Fprint(std.out, line)
	return err
}

func verdict(part string, err error, says, mend string) checkup {
	if err == nil {
		return checkup{part, healthy, says, ""}
	}
	var h hintedError
	if errors.As(err, &h) {
		mend = h.hint
	}
	return checkup{part, ill, err.Error(), mend}
}

func checkVehicle(_ context.Context, cfg *config.Config) checkup {
	if cfg.Vehicle.ID == "" || cfg.Vehicle.Fleet == "" {
		return checkup{"vehicle", ill, "nobody knows who this is", "set vehicle.id and vehicle.fleet in the configuration"}
	}
	return checkup{"vehicle", healthy, cfg.Vehicle.ID + " of fleet " + cfg.Vehicle.Fleet, ""}
}

func checkRuntime(_ context.Context, cfg *config.Config) checkup {
	path, err := onnx.Find(cfg.Models.ONNXRuntime)
	version := ""
	if err == nil {
		var rt *onnx.Runtime
		if rt, err = onnx.Open(path); err == nil {
			version = "ONNX Runtime " + rt.Version() + " at " + path
		}
	}
	return verdict("runtime", err, version, "run `make deps`, or name the library in models.onnxruntime")
}

func checkModelFiles(_ context.Context, cfg *config.Config) checkup {
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

func checkOrderFiles(_ context.Context, cfg *config.Config) checkup {
	if len(cfg.Orders.TrustedKeys) == 0 {
		return checkup{"orders", ill, "no key is trusted, so no orders can be obeyed", "make one with `gadeblik keys new` and name its .pub in orders.trusted_keys"}
	}
	models, err := checkModels(cfg)
	if err != nil {
		models = nil // said already
	}
	return verdict("orders", checkOrders(cfg, models), fmt.Sprintf("%d trusted keys", len(cfg.Orders.TrustedKeys)), "")
}

// checkSealing says who will be able to read the evidence. It makes no key: a vehicle
// makes its own at its first start.
func checkSealing(_ context.Context, cfg *config.Config) checkup {
	for i, r := range cfg.Seal.Recipients {
		if _, err := uplink.ParseRecipients(r); err != nil {
			return checkup{"sealing", ill, fmt.Sprintf("seal.recipients[%d]: %v", i, err), "the case office makes one with `gadeblik keys new --age`; put its .pub here"}
		}
	}
	if _, err := uplink.ReadPrivate(cfg.Seal.KeyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return checkup{"sealing", ill, "seal.key_file: " + err.Error(), ""}
	}
	if len(cfg.Seal.Recipients) == 0 {
		return checkup{"sealing", doubt, "evidence is encrypted to nobody: it is sent open, and TLS alone protects it", "name the case office's key in seal.recipients"}
	}
	return checkup{"sealing", healthy, "evidence is encrypted to " + strings.Join(shortened(cfg.Seal.Recipients), ", "), ""}
}

// checkDisk writes a small file where the outbox will.
func checkDisk(_ context.Context, cfg *config.Config) checkup {
	dir := cfg.StateDir
	probe := filepath.Join(dir, ".doctor")
	if err := os.WriteFile(probe, []byte("probe"), 0o600); err != nil {
		return checkup{"disk", ill, err.Error(), "make " + dir + " and give it to the agent's user"}
	}
	if err := os.Remove(probe); err != nil {
		return checkup{"disk", ill, err.Error(), ""}
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return checkup{"disk", ill, err.Error(), ""}
	}
	free := int64(st.Bavail) * st.Bsize
	says := fmt.Sprintf("%s is writable, %d MiB free", dir, free>>20)
	if free < int64(cfg.Outbox.MaxBytes) {
		return checkup{"disk", doubt, says, fmt.Sprintf("outbox.max_bytes is %s: lower it, or make room", cfg.Outbox.MaxBytes)}
	}
	return checkup{"disk", healthy, says, ""}
}

func checkSwitch(ctx context.Context, cfg *config.Config) checkup {
	dir := filepath.Dir(cfg.Switch.Socket)
	if cond, err := askControl(ctx, cfg.Switch.Socket, "GET", "/status", nil); err == nil {
		return checkup{"switch", doubt, fmt.Sprintf("an agent runs (%s): it holds the GPS and the camera", cond.Status.State), "stop it for a full check"}
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return checkup{"switch", doubt, "folder " + dir + " of the control socket is not there", "the service makes it (RuntimeDirectory=gadeblik); or set switch.socket"}
	}
	return checkup{"switch", healthy, "control socket at " + cfg.Switch.Socket, ""}
}

func checkClock(_ context.Context, cfg *config.Config) checkup {
	now := time.Now()
	if now.Before(cfg.Time.Floor) {
		return checkup{"clock", doubt, "the system clock says " + now.UTC().Format(time.DateTime) + ", before time.floor", "no harm: the agent takes its time from the GPS; TLS may refuse certificates until the clock is set"}
	}
	return checkup{"clock", healthy, "the system clock says " + now.UTC().Format(time.DateTime) + " UTC; the agent takes its time from the GPS", ""}
}

func checkCamera(_ context.Context, cfg *config.Config) checkup {
	if cfg.Camera.Drive != "" {
		return verdict("camera", checkDrive(cfg.Camera.Drive), "the drive "+cfg.Camera.Drive+" stands in", "correct camera.drive, or name a camera.device")
	}
	cams, err := v4l2.List()
	if err != nil {
		return checkup{"camera", ill, err.Error(), ""}
	}
	var names []string
	for _, c := range cams {
		if c.Problem == "" {
			names = append(names, strings.Join(append([]string{c.Path, c.Name}, c.Links...), " "))
		}
	}
	if len(names) == 0 {
		return checkup{"camera", ill, "no camera is plugged in", "plug in a USB (UVC) camera; cameras on a CSI connector need v4l2loopback"}
	}
	if cfg.Camera.Device != "" {
		if _, err := v4l2.Find(cfg.Camera.Device); err != nil {
			return checkup{"camera", ill, "camera.device: " + err.Error(), "there is: " + strings.Join(names, ", ")}
		}
	}
	return checkup{"camera", healthy, strings.Join(names, ", "), ""}
}

// listenFor is how long the doctor listens to the GPS.
const listenFor = 4 * time.Second

func checkGPS(ctx context.Context, cfg *config.Config) checkup {
	if cfg.GPS.Device == "" {
		return checkup{"gps", ill, "no GPS is configured", "set gps.device to a name in /dev/serial/by-id"}
	}
	r, err := gps.NewReceiver(gps.ReceiverConfig{Device: cfg.GPS.Device, Baud: cfg.GPS.Baud, ReadTimeout: cfg.GPS.ReadTimeout, Stale: cfg.GPS.Stale})
	if err != nil {
		return checkup{"gps", ill, err.Error(), ""}
	}
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	if err := r.Run(ctx, func(gps.Fix) {}); err != nil {
		return checkup{"gps", ill, err.Error(), "check the cable, gps.device and that the user is in group dialout"}
	}
	f, ok := r.Last()
	switch {
	case !ok:
		return checkup{"gps", ill, fmt.Sprintf("%s: no sentence in %s", cfg.GPS.Device, listenFor), "check gps.baud, and that it is a GPS"}
	case !f.Valid:
		return checkup{"gps", doubt, "sentences, but no fix yet", "wait under the open sky"}
	}
	return checkup{"gps", healthy, fmt.Sprintf("fix at %.5f, %.5f, HDOP %.1f, %d satellites", f.Lat, f.Lon, f.HDOP, f.Satellites), ""}
}

func checkBroker(ctx context.Context, cfg *config.Config) checkup {
	if cfg.MQTT.Broker == "" {
		return checkup{"broker", ill, "no broker is configured", "set mqtt.broker, such as tls://broker.example:8883"}
	}
	l, err := linkConfig(cfg.MQTT)
	if err == nil {
		err = uplink.Ping(ctx, *l)
	}
	return verdict("broker", err, cfg.MQTT.Broker+" takes the vehicle in", "check the address, the network, the certificates and the password")
}

// shortened makes keys fit into a line; files keep their names.
func shortened(keys []string) []string {
	var out []string
	for _, k := range keys {
		if strings.HasPrefix(k, "age1") && len(k) > 20 {
			k = k[:20] + "…"
		}
		out = append(out, k)
	}
	return out
}
