package gps

import (
	"fmt"
	"strings"

	"github.com/adrianmo/go-nmea"
)

// kind is a type of sentence that is used here.
type kind uint8

const (
	rmc kind = iota
	gga
	gns
	zda
	gsa
	vtg
)

// A reading is what one sentence says, in the units of [Fix] and with its
// values for unknown.
type reading struct {
	kind    kind
	time    daytime // time of day
	date    date    // of RMC and ZDA
	quality Quality // of RMC, GGA, GNS; of GSA NoFix or Autonomous
	broken  bool    // claims a position that cannot be one

	lat, lon      float64
	speed, course float64
	hdop          float64
	satellites    int
	altitude      float64
	hasAltitude   bool
}

// A parser makes readings of sentences. It never panics, whatever it is given.
type parser struct {
	nmea  nmea.SentenceParser
	count *Counters
}

func newParser(count *Counters) *parser {
	return &parser{
		nmea:  nmea.SentenceParser{OnBaseSentence: mend},
		count: count,
	}
}

// read decodes one line and counts it in exactly one class.
func (p *parser) read(line string) (reading, bool) {
	body, sum, found := strings.Cut(line[1:], "*")
	switch {
	case !found:
		p.count.NoChecksum++
		return reading{}, false
	case !sealed(body, sum):
		p.count.BadChecksum++
		return reading{}, false
	case !supported(body):
		p.count.Unsupported++
		return reading{}, false
	}
	s, err := p.parse(line)
	if err != nil {
		p.count.Unparsable++
		return reading{}, false
	}
	// Fields of our own, because mend has changed those of the parser.
	f := fields{raw: strings.Split(body, ",")[1:]}
	r, known := f.reading(s)
	if !known {
		p.count.Unparsable++
		return reading{}, false
	}
	p.count.Accepted++
	if f.wrong {
		p.count.OutOfRange++
	}
	return r, true
}

// parse calls the library behind a recover: it has slice bounds of its own to
// violate (adrianmo/go-nmea v1.10.0 does so on short TXT and ALC sentences).
func (p *parser) parse(line string) (s nmea.Sentence, err error) {
	defer func() {
		if v := recover(); v != nil {
			p.count.Panics++
			s, err = nil, fmt.Errorf("parse sentence: parser panicked: %v", v)
		}
	}()
	return p.nmea.Parse(line)
}

// sealed reports whether sum is the checksum of body: two hexadecimal digits,
// in either case, and nothing behind them.
func sealed(body, sum string) bool {
	if len(sum) != 2 {
		return false
	}
	var x byte
	for i := range len(body) {
		x ^= body[i]
	}
	const digits = "0123456789ABCDEF"
	want := string([]byte{digits[x>>4], digits[x&15]})
	return strings.EqualFold(sum, want)
}

// supported reports whether the sentence is one of those allowed through to
// the library: any talker of two capital letters, six types.
func supported(body string) bool {
	address, _, _ := strings.Cut(body, ",")
	if len(address) != 5 || !capital(address[0]) || !capital(address[1]) {
		return false
	}
	if address[0] == nmea.ProprietarySentencePrefix {
		return false
	}
	switch address[2:] {
	case nmea.TypeRMC, nmea.TypeGGA, nmea.TypeGNS, nmea.TypeZDA, nmea.TypeGSA, nmea.TypeVTG:
		return true
	}
	return false
}

func capital(b byte) bool { return b >= 'A' && b <= 'Z' }

// mend makes the library indifferent to fields that are not used here and that
// real receivers get wrong, so that they do not cost a fix: missing ones at the
// end, a mode letter where the direction of the variation belongs (Motorola
// T805), a new navigation status letter. What denies a fix must get through in
// any case, so the position beside it is blanked (Royaltek TN200 writes 36000
// degrees there), and so are the GGA qualities 7 and 8, which the library does
// not know.
func mend(s *nmea.BaseSentence) error {
	switch s.Type {
	case nmea.TypeRMC:
		s.Fields = exactly(s.Fields, 12)
		clear(s.Fields[9:])
		if s.Fields[1] != nmea.ValidRMC {
			clear(s.Fields[2:8])
		}
	case nmea.TypeGGA:
		s.Fields = exactly(s.Fields, 14)
		clear(s.Fields[9:])
		switch s.Fields[5] {
		case nmea.Invalid, "", "7", "8":
			clear(s.Fields[1:])
		}
	case nmea.TypeGNS:
		s.Fields = exactly(s.Fields, 12)
		clear(s.Fields[9:])
	case nmea.TypeZDA:
		s.Fields = exactly(s.Fields, 6)
		clear(s.Fields[4:])
	case nmea.TypeGSA:
		s.Fields = s.Fields[:min(len(s.Fields), 17)]
	}
	return nil
}

// exactly cuts or pads fields to n.
func exactly(fields []string, n int) []string {
	for len(fields) < n {
		fields = append(fields, "")
	}
	return fields[:n]
}
