package main

import (
	"context"

	"gadeblik/cmd/gadeblik/config"
)

// look is one check of the doctor's, which may say more than one line.
type look struct {
	part       string // its first line's, and what it is called where it hangs or waits
	configured bool   // it makes no sense before the configuration can be read
	do         func(*visit, context.Context) []checkup
}

// section is the looks below one heading, in the order they are shown.
type section struct {
	title string
	looks []look
}

// sections is everything the doctor looks at. The looks of all of them run at the
// same time: what must not, such as two openings of ONNX Runtime, is one look.
func sections() []section {
	return []section{
		{"Who", []look{
			{"config", false, (*visit).configuration},
			{"vehicle", true, one(checkVehicle)},
			{"user", false, (*visit).users},
			{"unit", false, (*visit).units},
			{"switch", false, (*visit).control},
		}},
		{"Devices", []look{
			{"drivers", false, (*visit).drivers},
			{"gps", true, (*visit).receiver},
			{"camera", true, (*visit).camera},
			{"gpio", false, (*visit).gpio},
			{"button", true, (*visit).button},
			{"lamp", true, (*visit).lamp},
		}},
		{"Models", []look{
			{"runtime", true, (*visit).eyes},
		}},
		{"Orders and keys", []look{
			{"orders", true, (*visit).orders},
			{"sealing", true, (*visit).sealing},
		}},
		{"Network and clock", []look{
			{"broker", true, (*visit).broker},
			{"clock", false, (*visit).clock},
		}},
		{"Disk, memory, heat", []look{
			{"disk", true, (*visit).disk},
			{"swap", true, one(checkSwap)},
			{"cores", false, one(checkCores)},
			{"heat", false, (*visit).heat},
		}},
	}
}

// one makes a look of a check that says one line and needs the configuration only.
func one(check func(context.Context, *config.Config) checkup) func(*visit, context.Context) []checkup {
	return func(v *visit, ctx context.Context) []checkup { return []checkup{check(ctx, v.cfg)} }
}
