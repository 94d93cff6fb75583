package gps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFramer(t *testing.T) {
	long := "$" + strings.Repeat("x", maxLine-1)
	tests := []struct {
		name      string
		midstream bool
		in        string
		want      []string
		count     Counters
	}{
		{"crlf", false, "$A\r\n$B\r\n", []string{"$A", "$B"}, Counters{Sentences: 2}},
		{"lf only", false, "$A\n$B\n", []string{"$A", "$B"}, Counters{Sentences: 2}},
		{"cr only", false, "$A\r$B\r", []string{"$A", "$B"}, Counters{Sentences: 2}},
		{"empty lines", false, "\r\n\n\n$A\n\n", []string{"$A"}, Counters{Sentences: 1}},
		{"no line end", false, "$A", []string{"$A"}, Counters{Sentences: 1}},
		{"nothing", false, "", nil, Counters{}},
		{"noise before and after", false, "ab$A\ncd\n", []string{"$A"}, Counters{Sentences: 1, Noise: 4}},
		{"cut at the last dollar", false, "$A$B$C\n", []string{"$C"}, Counters{Sentences: 1, Garbled: 2}},
		{"binary inside", false, "$A\x00B\n$C\n", []string{"$C"}, Counters{Sentences: 1, Garbled: 1, Noise: 1}},
		{"not ascii inside", false, "$A\xb0B\n$C\n", []string{"$C"}, Counters{Sentences: 1, Garbled: 1, Noise: 1}},
		{"as long as allowed", false, long + "\n", []string{long}, Counters{Sentences: 1}},
		{"one byte too long", false, long + "y\n$A\n", []string{"$A"}, Counters{Sentences: 1, Overlong: 1}},
		{"much too long", false, strings.Repeat(long, 1) + long[1:] + "$A\n", []string{"$A"}, Counters{Sentences: 1, Overlong: 1, Noise: maxLine - 2}},
		{"joined in a sentence", true, "1,2*33\r\n$A\r\n", []string{"$A"}, Counters{Sentences: 1, Noise: 6}},
		{"joined before a sentence", true, "$A\n$B\n", []string{"$B"}, Counters{Sentences: 1, Noise: 2}},
		{"joined, one line only", true, "$A", nil, Counters{Noise: 2}},
		{"AIS is noise", false, "!AIVDM,1\n", nil, Counters{Noise: 8}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			var count Counters
			f := framer{waiting: test.midstream, count: &count}
			for i := range len(test.in) {
				if line, ok := f.next(test.in[i]); ok {
					got = append(got, string(line))
				}
			}
			if line, ok := f.finish(); ok {
				got = append(got, string(line))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			test.count.Bytes = uint64(len(test.in))
			if diff := cmp.Diff(test.count, count); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
		})
	}
}
