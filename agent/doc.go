// Package agent decides when the vehicle may look, looks, and hands what it
// found to the outbox.
//
// A [Plan] is compiled from orders and never changes. A [Gate] answers, for one
// moment, which of the plan's tasks are open and names the reason for every no.
// A [Pipeline] takes fixes and frames in order of time, asks the gate, detects,
// redacts and gives [Product] values to a sink. [Replay] drives a pipeline with a
// recorded drive; [Agent] drives it with devices and a clock.
//
// Gate and Pipeline take times as data: they have no clock, start no goroutine
// and open no file, so the same events give the same products, byte for byte.
//
// # Caveats
//
// A Pipeline and a Gate belong to one goroutine. A Plan may be shared.
package agent
