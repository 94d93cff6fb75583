// Package config reads the device's configuration: a YAML file, environment
// variables GADEBLIK_SECTION_KEY and command-line flags, in rising order of
// precedence over the defaults.
//
// It is strict. A key that is not known, appears twice or has a value of the wrong
// type is a mistake; so is a duration or a size without its unit, and a variable
// GADEBLIK_… that sets nothing. [Load] reports every mistake at once, each with the
// place it was made in, the key, the value and the mend.
//
// The configuration is the device's half of what an agent needs to know: it is
// fixed for the life of the process. What to look for and where is in the orders.
//
// # Caveats
//
// Passwords and private keys are never in the configuration, only the names of
// the files they are in; [ReadSecret] reads those.
package config

import (
	"time"
)

// Config is a whole configuration with every default filled in. It is never
// changed after [Load] returned it and may be read by any number of goroutines.
type Config struct {
	Vehicle  Vehicle `mapstructure:"vehicle"`
	StateDir string  `mapstructure:"state_dir" help:"folder for everything that must survive a restart"`
	GPS      GPS     `mapstructure:"gps"`
	Time     Time    `mapstructure:"time"`
	Camera   Camera  `mapstructure:"camera"`
	Models   Models  `mapstructure:"models"`
	Gate     Gate    `mapstructure:"gate"`
	Orders   Orders  `mapstructure:"orders"`
	Switch   Switch  `mapstructure:"switch"`
	Seal     Seal    `mapstructure:"seal"`
	Outbox   Outbox  `mapstructure:"outbox"`
	MQTT     MQTT    `mapstructure:"mqtt"`
	Memory   Memory  `mapstructure:"memory"`
	Log      Log     `mapstructure:"log"`

	from map[string]origin // of every key that is not at its default
}

// Vehicle says who this is.
type Vehicle struct {
	ID    string `mapstructure:"id" help:"pseudonym of the vehicle; appears in everything it sends"`
	Fleet string `mapstructure:"fleet" help:"fleet the vehicle belongs to; its orders must be for this fleet"`
}

// GPS is the receiver on its serial port.
type GPS struct {
	Device      string        `mapstructure:"device" help:"serial port of the GPS receiver, best by its name in /dev/serial/by-id"`
	Baud        int           `mapstructure:"baud" help:"speed of the serial port"`
	ReadTimeout time.Duration `mapstructure:"read_timeout" help:"longest wait for bytes before looking again"`
	Stale       time.Duration `mapstructure:"stale" help:"without a sentence for so long the receiver is opened anew"`
}

// Time bounds what is believed of clocks.
type Time struct {
	Floor time.Time `mapstructure:"floor" help:"no earlier time is believed"`
}

// Camera is the camera, or a recorded drive in its place.
type Camera struct {
	Device   string        `mapstructure:"device" help:"camera, best by its name in /dev/v4l/by-id; or name:NAME, or bus:PLACE"`
	Drive    string        `mapstructure:"drive" help:"recorded drive that stands in for a camera"`
	Format   string        `mapstructure:"format" help:"MJPG or YUYV; empty takes what the camera has, MJPG first"`
	Width    int           `mapstructure:"width" help:"width of a picture in pixels"`
	Height   int           `mapstructure:"height" help:"height of a picture in pixels"`
	FPS      float64       `mapstructure:"fps" help:"pictures per second; 0 leaves the camera's own rate"`
	Watchdog time.Duration `mapstructure:"watchdog" help:"without a picture for so long the camera is opened anew"`
	Masks    []Mask        `mapstructure:"masks" help:"parts of every frame that no picture shows: the bonnet, the cab, the driver's reflection"`
	Mount    Mount         `mapstructure:"mount"`
}

// Mask is a part of every frame that is always removed: its left, upper, right and
// lower edge in fractions of the frame, from the left and from the top.
type Mask struct {
	X0 float64 `mapstructure:"x0"`
	Y0 float64 `mapstructure:"y0"`
	X1 float64 `mapstructure:"x1"`
	Y1 float64 `mapstructure:"y1"`
}

// Mount says how the camera looks at the street. Zeros mean unknown.
type Mount struct {
	HeightM  float64 `mapstructure:"height_m" help:"height of the lens above the street in metres; 0 is unknown"`
	PitchDeg float64 `mapstructure:"pitch_deg" help:"degrees the camera looks up (above 0) or down (below 0)"`
	HFovDeg  float64 `mapstructure:"hfov_deg" help:"horizontal angle of view in degrees; 0 is unknown"`
}

// Models is what the vehicle sees with.
type Models struct {
	Dir         string        `mapstructure:"dir" help:"folder of models beside those built in; empty is models in state_dir"`
	ONNXRuntime string        `mapstructure:"onnxruntime" help:"file of the ONNX Runtime library; empty searches for it"`
	Detector    string        `mapstructure:"detector" help:"model that looks where a task names none"`
	Threads     int           `mapstructure:"threads" help:"processor threads of one model"`
	Timeout     time.Duration `mapstructure:"timeout" help:"longest time one model may take for one picture"`
	Redact      []Redact      `mapstructure:"redact" help:"models that find what is removed from every picture"`
	SecondLook  []Redact      `mapstructure:"second_look" help:"other models, which look at what is left; left out, the built-in ones that redact does not name for a class"`
}

// Redact says which model finds one class of what is removed, or looks for it once
// more.
type Redact struct {
	Class    string  `mapstructure:"class"` // person, face or plate
	Model    string  `mapstructure:"model"`
	MinScore float64 `mapstructure:"min_score"` // above 0, at most 1; the lower, the more is removed; 0 where the file leaves it to the model
}

// Gate says how sure of its position the vehicle must be.
type Gate struct {
	MaxFixAge     time.Duration `mapstructure:"max_fix_age" help:"an older GPS fix counts for nothing"`
	MaxHDOP       float64       `mapstructure:"max_hdop" help:"a fix with a higher HDOP counts for nothing"`
	MetresPerHDOP float64       `mapstructure:"metres_per_hdop" help:"radius of the circle of error at HDOP 1, in metres"`
	MinSatellites int           `mapstructure:"min_satellites" help:"a fix from fewer satellites counts for nothing"`
	EnterMarginM  float64       `mapstructure:"enter_margin_m" help:"metres beyond the circle of error to enter a zone"`
	EnterFixes    int           `mapstructure:"enter_fixes" help:"fixes inside to enter a zone"`
	EnterOf       int           `mapstructure:"enter_of" help:"out of so many last fixes"`
	MaxJumpSpeed  float64       `mapstructure:"max_jump_speed" help:"metres per second from fix to fix that are not believed any more"`
}

// Orders says whose orders are obeyed.
type Orders struct {
	File        string   `mapstructure:"file" help:"signed orders to start with; newer ones come over MQTT"`
	TrustedKeys []string `mapstructure:"trusted_keys" help:"public keys (PEM files) of those who may sign orders"`
	Threshold   int      `mapstructure:"threshold" help:"how many of them must have signed"`
}

// Switch is the driver's switch.
type Switch struct {
	Socket  string        `mapstructure:"socket" help:"local socket the switch is worked over"`
	AutoOff time.Duration `mapstructure:"auto_off" help:"the switch goes off by itself after so long; 0s is never"`
	Button  Button        `mapstructure:"button"`
	Lamp    Lamp          `mapstructure:"lamp"`
}

// Button is the driver's button, on a GPIO line or of an input device. Without either
// there is none.
type Button struct {
	Line      string        `mapstructure:"line" help:"GPIO line of the driver's button: its name, such as GPIO17, or CHIP:OFFSET; empty is none"`
	ActiveLow bool          `mapstructure:"active_low" help:"true: pressed connects the line to ground"`
	Bias      string        `mapstructure:"bias" help:"resistor inside the chip: pull-up, pull-down, none or as-is"`
	Input     string        `mapstructure:"input" help:"input device in the place of a line, best by its name in /dev/input/by-id"`
	Key       string        `mapstructure:"key" help:"its key that is the button, such as KEY_F1; empty is any"`
	Debounce  time.Duration `mapstructure:"debounce" help:"a level counts when it has stood for so long"`
	LongPress time.Duration `mapstructure:"long_press" help:"a press so long forbids capture for the shift"`
}

// Lamp shows the driver what the vehicle does.
type Lamp struct {
	Line      string `mapstructure:"line" help:"GPIO line of the driver's lamp, as that of the button; empty is none"`
	ActiveLow bool   `mapstructure:"active_low" help:"true: lit connects the line to ground"`
}

// Seal says who can read what the vehicle stores and sends.
type Seal struct {
	Recipients []string `mapstructure:"recipients" help:"age keys (age1..., or .pub files) of those who may read the evidence; empty stores it under the vehicle's own key and sends it open"`
	KeyFile    string   `mapstructure:"key_file" help:"key the vehicle signs with; empty is device.key in state_dir, made at the first start"`
	OwnFile    string   `mapstructure:"own_file" help:"age key of the vehicle's own, used without recipients; empty is device.age in state_dir, made when needed"`
}

// Outbox is the durable queue.
type Outbox struct {
	Dir       string        `mapstructure:"dir" help:"folder of the queue; empty is outbox in state_dir"`
	MaxBytes  Size          `mapstructure:"max_bytes" help:"room for what waits to be sent"`
	MaxItems  int           `mapstructure:"max_items" help:"observations that may wait to be sent"`
	HighWater float64       `mapstructure:"high_water" help:"share of this room at which capturing stops, 0.1 to 1"`
	MaxAge    time.Duration `mapstructure:"max_age" help:"what could not be sent for so long is deleted, or earlier where its task says so"`
}

// MQTT is the way to the broker.
type MQTT struct {
	Broker       string        `mapstructure:"broker" help:"address of the broker, such as tls://broker.example:8883"`
	ClientID     string        `mapstructure:"client_id" help:"name at the broker; empty is gadeblik-FLEET-ID"`
	Username     string        `mapstructure:"username" help:"user at the broker"`
	PasswordFile string        `mapstructure:"password_file" help:"file with the password"`
	TLS          TLS           `mapstructure:"tls"`
	InFlight     int           `mapstructure:"in_flight" help:"messages on their way at a time"`
	Ack          string        `mapstructure:"ack" help:"an observation is delivered on: receipt (of the inbox) or puback (of the broker)"`
	KeepAlive    time.Duration `mapstructure:"keep_alive" help:"silence after which the connection is tested"`
	DrainTimeout time.Duration `mapstructure:"drain_timeout" help:"time at the end of the run to send what waits"`
	When         string        `mapstructure:"when" help:"observations are sent: always, unmetered (over one of unmetered_interfaces) or depot (inside depot_file)"`
	Unmetered    []string      `mapstructure:"unmetered_interfaces" help:"network interfaces that cost nothing, such as wlan0"`
	DepotFile    string        `mapstructure:"depot_file" help:"GeoJSON file with the area of the depot"`
	MaxPayload   Size          `mapstructure:"max_payload" help:"longest message the broker takes; what is longer goes in parts"`
	MaxRate      Size          `mapstructure:"max_rate" help:"most bytes of observations to send per second; 0B is no limit"`
}

// The values of mqtt.when.
const (
	Always    = "always"
	Unmetered = "unmetered"
	Depot     = "depot"
)

// TLS says which broker is trusted and who the vehicle is to it.
type TLS struct {
	CAFile     string `mapstructure:"ca_file" help:"certificates the broker's is checked against; empty is the system's"`
	CertFile   string `mapstructure:"cert_file" help:"certificate of the vehicle"`
	KeyFile    string `mapstructure:"key_file" help:"private key of that certificate"`
	ServerName string `mapstructure:"server_name" help:"name in the broker's certificate if not that of the address"`

	ALPN []string `mapstructure:"alpn" help:"protocols to ask for in the handshake, such as mqtt, where the broker needs one"`
}

// Memory says what the system may do with the memory that frames are in. That it
// goes to no core file is not a choice.
type Memory struct {
	Lock bool `mapstructure:"lock" help:"true pins the agent's memory, so that no frame is ever swapped to disk"`
}

// Log says what is written to the log.
type Log struct {
	Level  string `mapstructure:"level" help:"debug, info, warn or error"`
	Format string `mapstructure:"format" help:"text or json"`
}

// Defaults returns what holds where nothing is configured. It is not valid for a
// vehicle: nobody else can know who it is and what is connected to it.
func Defaults() Config {
	return Config{
		StateDir: "/var/lib/gadeblik",
		GPS:      GPS{Baud: 9600, ReadTimeout: 200 * time.Millisecond, Stale: 5 * time.Second},
		Time:     Time{Floor: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		Camera:   Camera{Width: 1280, Height: 720, FPS: 10, Watchdog: 5 * time.Second},
		Models: Models{
			Detector: "gadeblik_street", Threads: 2, Timeout: 2 * time.Second,
			Redact: []Redact{
				{Class: "person", Model: "gadeblik_privacy"},
				{Class: "face", Model: "gadeblik_privacy"},
				{Class: "plate", Model: "gadeblik_privacy"},
			},
			SecondLook: []Redact{{Class: "person", Model: "gadeblik_street", MinScore: secondScore}},
		},
		Gate: Gate{
			MaxFixAge: 2 * time.Second, MaxHDOP: 4, MetresPerHDOP: 5, MinSatellites: 4,
			EnterMarginM: 5, EnterFixes: 3, EnterOf: 5, MaxJumpSpeed: 70,
		},
		Orders: Orders{Threshold: 1},
		Switch: Switch{
			Socket: "/run/gadeblik/control.sock", AutoOff: 10 * time.Hour,
			Button: Button{ActiveLow: true, Bias: "pull-up", Debounce: 20 * time.Millisecond, LongPress: 2 * time.Second},
		},
		Outbox: Outbox{MaxBytes: 2 << 30, MaxItems: 50_000, HighWater: 0.9, MaxAge: 60 * 24 * time.Hour},
		MQTT:   MQTT{InFlight: 16, Ack: "receipt", KeepAlive: time.Minute, DrainTimeout: 10 * time.Second, When: Always, MaxPayload: 128 << 10},
		Log:    Log{Level: "info", Format: "text"},
	}
}
