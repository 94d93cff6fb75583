package main

import (
	"fmt"
	"strings"
)

// The names under which the status tells of the board.
const (
	temperatureFigure = "temperature_dC" // tenths of a degree Celsius; 0 is 0 °C or below
	throttledFigure   = "throttled"      // 1 while the processor is slowed down for heat or lack of power
)

// heat is how a board is at a moment.
type heat struct {
	known       bool   // a sensor has answered
	milli       int64  // highest temperature of any zone, in thousandths of a degree Celsius
	tells       bool   // firmware or kernel says whether the processor is slowed down
	bits        uint64 // of a Raspberry Pi's firmware
	cooling     bool   // the kernel slows the processor down to cool it
	kHz, maxKHz int64  // of the first processor, now and at most; 0 is unknown
}

// The firmware's bits that say what is now; each stands 16 bits higher for what has
// been since the start.
const (
	underVoltage = 1 << iota
	frequencyCapped
	firmwareThrottles
	softLimit
	sinceStart = 16
)

// throttled tells whether the processor is slowed down now, and whether this board
// says so at all.
func (h heat) throttled() (now, known bool) {
	return h.cooling || h.bits&(frequencyCapped|firmwareThrottles|softLimit) != 0, h.tells
}

// complaints names what the firmware's bits say, now or since the start.
func (h heat) complaints(since bool) []string {
	bits := h.bits
	if since {
		bits >>= sinceStart
	}
	var all []string
	for _, b := range []struct {
		bit  uint64
		word string
	}{
		{underVoltage, "too low a voltage"},
		{frequencyCapped, "the processor's frequency was capped"},
		{firmwareThrottles, "the processor was throttled"},
		{softLimit, "the soft limit of temperature was reached"},
	} {
		if bits&b.bit != 0 {
			all = append(all, b.word)
		}
	}
	return all
}

func (h heat) String() string {
	if !h.known && !h.tells {
		return "this board has no sensor that says how warm it is"
	}
	var parts []string
	if h.known {
		parts = append(parts, fmt.Sprintf("%.1f °C", float64(h.milli)/1000))
	}
	if now, known := h.throttled(); known {
		parts = append(parts, map[bool]string{true: "throttled", false: "not throttled"}[now])
	}
	if h.kHz > 0 && h.maxKHz > 0 {
		parts = append(parts, fmt.Sprintf("processor at %d of %d MHz", h.kHz/1000, h.maxKHz/1000))
	}
	return strings.Join(parts, ", ")
}

// add puts what is known into the counters of a status.
func (h heat) add(m map[string]uint64) {
	if h.known {
		m[temperatureFigure] = uint64(max(0, h.milli) / 100)
	}
	if now, known := h.throttled(); known {
		m[throttledFigure] = 0
		if now {
			m[throttledFigure] = 1
		}
	}
}

// boardLine says in one line what a status tells of the board, "" where it does not.
func boardLine(counters map[string]uint64) string {
	t, ok := counters[temperatureFigure]
	if !ok {
		return ""
	}
	line := fmt.Sprintf("board  %d.%d °C", t/10, t%10)
	if n, ok := counters[throttledFigure]; ok {
		line += map[bool]string{true: ", throttled", false: ", not throttled"}[n > 0]
	}
	return line + "\n"
}
