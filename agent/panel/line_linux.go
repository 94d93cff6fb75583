package panel

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/warthog618/go-gpiocdev"
	"golang.org/x/sys/unix"
)

// chips lists what GPIO there is, and says which of it may not be looked at. A chip
// that vanishes while it is read is left out.
func chips() (all []chip, denied error) {
	for _, name := range gpiocdev.Chips() {
		c, err := describe(name)
		if errors.Is(err, fs.ErrPermission) {
			denied = fmt.Errorf("open /dev/%s: %w", name, fs.ErrPermission)
		}
		if err == nil {
			all = append(all, c)
		}
	}
	return all, denied
}

func describe(name string) (chip, error) {
	g, err := gpiocdev.NewChip(name)
	if err != nil {
		return chip{}, err
	}
	c := chip{name: g.Name, label: g.Label}
	for offset := range g.Lines() {
		var info gpiocdev.LineInfo
		if info, err = g.LineInfo(offset); err != nil {
			break
		}
		c.lines = append(c.lines, line{
			chip: g.Name, label: g.Label, offset: offset, name: info.Name, used: info.Used, consumer: info.Consumer,
		})
	}
	return c, errors.Join(err, g.Close())
}

// find looks for a line over all chips, whose numbers change.
func find(spec string) (line, error) {
	all, denied := chips()
	l, err := locate(all, spec)
	if err != nil && denied != nil {
		return line{}, fmt.Errorf("%w; or it is where nobody may look: %w", err, denied)
	}
	return l, err
}

// request takes a line, if it is still where it was found. The error names who has it
// where somebody has.
func request(l line, as string, options ...gpiocdev.LineReqOption) (*gpiocdev.Line, error) {
	c, err := gpiocdev.NewChip(l.chip)
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", l, err)
	}
	got, err := requestOf(c, l, append(options, gpiocdev.WithConsumer("gadeblik "+as)))
	if err := errors.Join(err, c.Close()); err != nil {
		if got != nil {
			err = errors.Join(err, got.Close())
		}
		return nil, err
	}
	return got, nil
}

func requestOf(c *gpiocdev.Chip, l line, options []gpiocdev.LineReqOption) (*gpiocdev.Line, error) {
	info, err := c.LineInfo(l.offset)
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", l, err)
	}
	if c.Label != l.label || info.Name != l.name {
		return nil, fmt.Errorf("take %s: %s is another chip now", l, l.chip)
	}
	l.used, l.consumer = info.Used, info.Consumer
	got, err := c.RequestLine(l.offset, options...)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%s is used by %s; free it, or name another line: %w", l, l.user(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", l, err)
	}
	return got, nil
}

// gpioButton is a button on a GPIO line.
type gpioButton struct {
	*gpiocdev.Line
	where   string
	notices chan struct{}
	settled bool
}

var biases = map[string][]gpiocdev.LineReqOption{
	PullUp: {gpiocdev.WithPullUp}, PullDown: {gpiocdev.WithPullDown}, NoBias: {gpiocdev.WithBiasDisabled}, AsIs: nil,
}

// openLine finds and takes the button.
func openLine(b Button) (contact, error) {
	at, err := find(b.Line)
	if err != nil {
		return nil, err
	}
	return takeButton(at, b)
}

// takeButton takes the button as it is asked to. Old kernels refuse debouncing, or
// bias with it: then the button is taken without, which its description says.
func takeButton(at line, b Button, options ...gpiocdev.LineReqOption) (_ contact, err error) {
	g := &gpioButton{where: at.String(), notices: make(chan struct{}, 1)}
	options = append(options, gpiocdev.AsInput, gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(g.notice))
	if b.ActiveLow {
		options = append(options, gpiocdev.AsActiveLow)
	}
	for _, try := range []struct {
		without string
		options []gpiocdev.LineReqOption
	}{
		{"", append(slices.Concat(options, biases[b.Bias]), gpiocdev.WithDebounce(b.Debounce))},
		{"; the kernel does not debounce it", slices.Concat(options, biases[b.Bias])},
		{"; the kernel knows no bias: it needs a resistor", options},
	} {
		if g.Line, err = request(at, "button", try.options...); err == nil {
			g.settled = try.without == ""
			g.where += try.without
			return g, nil
		}
		if !refused(err) {
			break
		}
	}
	return nil, err
}

// refused tells whether a kernel or a controller does not know what it was asked for.
func refused(err error) bool {
	var old gpiocdev.ErrUapiIncompatibility
	return errors.As(err, &old) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOTTY)
}

// notice runs in the library's watcher. It must not wait: Close waits for it.
func (g *gpioButton) notice(gpiocdev.LineEvent) {
	select {
	case g.notices <- struct{}{}:
	default: // somebody will look already
	}
}

func (g *gpioButton) pressed() (bool, error) {
	v, err := g.Value()
	return v == 1, err
}

func (g *gpioButton) edges() <-chan struct{} { return g.notices }
func (g *gpioButton) steady() bool           { return g.settled }
func (g *gpioButton) String() string         { return g.where }

// gpioLamp is a lamp on a GPIO line.
type gpioLamp struct {
	*gpiocdev.Line
	where string
}

// openLamp finds and takes the lamp, dark.
func openLamp(l Lamp) (bulb, error) {
	at, err := find(l.Line)
	if err != nil {
		return nil, err
	}
	options := []gpiocdev.LineReqOption{gpiocdev.AsOutput(0)}
	if l.ActiveLow {
		options = append(options, gpiocdev.AsActiveLow)
	}
	got, err := request(at, "lamp", options...)
	if err != nil {
		return nil, err
	}
	return &gpioLamp{got, at.String()}, nil
}

func (g *gpioLamp) set(lit bool) error {
	v := 0
	if lit {
		v = 1
	}
	return g.SetValue(v)
}

func (g *gpioLamp) String() string { return g.where }
