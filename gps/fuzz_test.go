package gps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// pieces decodes a stream that arrives in pieces whose sizes, 1 to 256, are
// taken in turn from cuts.
func pieces(stream, cuts []byte) ([]Fix, Counters) {
	var fixes []Fix
	emit := func(f Fix) { fixes = append(fixes, f) }
	d := NewDecoder(DecoderConfig{})
	for i := 0; len(stream) > 0; i++ {
		n := 1
		if len(cuts) > 0 {
			n += int(cuts[i%len(cuts)])
		}
		n = min(n, len(stream))
		d.Write(stream[:n], arrival(), emit)
		stream = stream[n:]
	}
	d.Flush(arrival(), emit)
	return fixes, d.Counters()
}

// FuzzDecoder feeds anything: no panic, no false fix, nothing uncounted, and
// the same however it arrives. Half the work is done with sums put right, so
// that the contents of sentences are reached.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		seals(goodRMC, goodGGA), seals(rmcAt(1), gsaHDOP, rmcAt(2), vtgFast, "GNTXT,01", "XXALC"),
		seals("GNGNS,120000.00,5540.3740,N,01233.8520,E,AAN,11,0.90,8.0,40.0,,", zdaNoon, goodRMC),
		seals("GPRMC,120000.00,A,nan,N,inf,E,-0,360,311299,,,A", "GPVTG,1,T,2,M,3,N,4,K,A"),
		"$GPRMC,1*2\x00$$\r\r\n" + strings.Repeat("$", 300),
	} {
		f.Add([]byte(s), []byte{3, 0, 200})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		for _, in := range [][]byte{stream, sealAll(stream)} {
			whole, count := decode(DecoderConfig{}, string(in))
			for _, fix := range whole {
				if s := complaint(fix); s != "" {
					t.Errorf("%s: %+v", s, fix)
				}
			}
			if s := unbalanced(count, len(in)); s != "" {
				t.Error(s)
			}
			if count.Panics > 0 {
				t.Errorf("the library panicked: something gets through to it that should not")
			}
			parts, again := pieces(in, cuts)
			if diff := cmp.Diff(whole, parts); diff != "" {
				t.Errorf("fixes depend on the pieces (-whole +parts):\n%s", diff)
			}
			if count != again {
				t.Errorf("counters depend on the pieces: %+v, %+v", count, again)
			}
		}
	})
}

// sealAll gives each line of a stream that begins with '$' the sum it ought to
// have.
func sealAll(stream []byte) []byte {
	var b strings.Builder
	for line := range strings.SplitSeq(string(stream), "\n") {
		body, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "$")
		if !ok {
			b.WriteString(line + "\n")
			continue
		}
		body, _, _ = strings.Cut(body, "*")
		b.WriteString(seal(body))
	}
	return []byte(b.String())
}

// TestPieces cuts drives made up of plausible and implausible sentences at
// random: the fixes must be the same.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bodies := rapid.SliceOfN(rapid.Custom(body), 1, 30).Draw(t, "bodies")
		noise := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "noise")
		cuts := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "cuts")
		stream := []byte(seals(bodies...) + string(noise) + seals(bodies...))
		whole, count := decode(DecoderConfig{}, string(stream))
		parts, again := pieces(stream, cuts)
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Fatalf("fixes depend on the pieces (-whole +parts):\n%s", diff)
		}
		if count != again {
			t.Fatalf("counters depend on the pieces: %+v, %+v", count, again)
		}
		for _, f := range whole {
			if s := complaint(f); s != "" {
				t.Fatalf("%s: %+v", s, f)
			}
		}
	})
}

// body draws the body of one sentence, with one field changed now and then.
func body(t *rapid.T) string {
	second := rapid.IntRange(0, 9).Draw(t, "second")
	s := rapid.SampledFrom([]string{
		rmcAt(second), ggaAt(second), gsaHDOP, gsaNone, vtgFast, zdaNoon, "GPRMC,,V,,,,,,,,,,N", "PUBX,00",
	}).Draw(t, "sentence")
	if rapid.IntRange(0, 3).Draw(t, "change") > 0 {
		return s
	}
	fields := strings.Split(s, ",")
	i := rapid.IntRange(0, len(fields)-1).Draw(t, "field")
	fields[i] = rapid.SampledFrom([]string{"", "nan", "-1", "9999.999", "W", "1e309", "*", "$"}).Draw(t, "value")
	return strings.Join(fields, ",")
}

// Real logs, cut as serial ports cut them: 1 to 64 bytes a read.
func TestPiecesOfLogs(t *testing.T) {
	for _, l := range logs(t) {
		if strings.HasSuffix(l.name, ".chk") {
			continue // the same log with another program's reports between
		}
		whole, count := decode(DecoderConfig{}, string(l.data))
		for _, cuts := range [][]byte{{0}, {6, 31, 0, 63}} {
			parts, again := pieces(l.data, cuts)
			if !cmp.Equal(whole, parts) || count != again {
				t.Errorf("%s: fixes depend on the pieces", l.name)
			}
		}
	}
}

func BenchmarkDecoder(b *testing.B) {
	stream := []byte(seals(goodRMC, goodGGA))
	d := NewDecoder(DecoderConfig{})
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		d.Write(stream, arrival(), func(Fix) {})
	}
}
