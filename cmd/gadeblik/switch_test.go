package main

import (
	"bytes"
	"strings"
	"testing"

	"gadeblik/uplink"
)

func TestTheConditionTellsOfTheUplink(t *testing.T) {
	for _, tt := range []struct {
		figures map[string]uint64
		want    string
	}{
		{map[string]uint64{"outbox_waiting": 3, "uplink_connected": 0}, "outbox 3 waiting\nuplink not connected; what is found waits in the outbox\n"},
		{map[string]uint64{"outbox_waiting": 0, "uplink_connected": 1}, "outbox 0 waiting\nuplink connected\n"},
		{nil, "outbox 0 waiting\n"},
	} {
		var out bytes.Buffer
		if err := printCondition(stdio{out: &out}, condition{Status: uplink.Status{Counters: tt.figures}}); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%v: got %q, want %q at its end", tt.figures, got, tt.want)
		}
	}
}
