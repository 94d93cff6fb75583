package gps

// maxLine is the longest sentence accepted, from '$' to before the line end.
// NMEA 0183 allows 82; receivers with many satellites or digits send more.
const maxLine = 256

// A framer cuts sentences out of a stream of bytes. What it returns depends on
// the bytes alone, not on how they were cut into reads.
type framer struct {
	line    [maxLine]byte
	length  int
	inside  bool // between '$' and the line end
	waiting bool // joined in mid-stream: nothing counts before the first line end
	count   *Counters
}

// next takes one byte and returns a sentence, without its line end, when b
// completes one. The sentence is overwritten by the next call.
func (f *framer) next(b byte) ([]byte, bool) {
	f.count.Bytes++
	switch {
	case b == '\r' || b == '\n':
		f.waiting = false
		return f.finish()
	case f.waiting:
		f.count.Noise++
	case b == '$':
		// The older sentence has lost its end, the newer one may be whole.
		if f.inside {
			f.count.Garbled++
		}
		f.inside, f.length = true, 1
		f.line[0] = b
	case !f.inside:
		f.count.Noise++
	case b < ' ' || b > '~':
		f.count.Garbled++
		f.inside = false
	case f.length == maxLine:
		f.count.Overlong++
		f.inside = false
	default:
		f.line[f.length] = b
		f.length++
	}
	return nil, false
}

// finish ends the sentence that is being read, if there is one.
func (f *framer) finish() ([]byte, bool) {
	if !f.inside {
		return nil, false
	}
	f.inside = false
	f.count.Sentences++
	return f.line[:f.length], true
}
