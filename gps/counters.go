package gps

// Counters says what became of everything that was read. The sums hold at any
// moment: Sentences = NoChecksum + BadChecksum + Unsupported + Unparsable +
// Accepted, and Fixes <= Epochs.
type Counters struct {
	Bytes uint64 `json:"bytes"` // bytes taken in
	Noise uint64 `json:"noise"` // bytes outside any sentence, line ends excepted

	Sentences uint64 `json:"sentences"` // whole lines that begin with '$'
	Overlong  uint64 `json:"overlong"`  // sentences dropped because they were longer than 256 bytes
	Garbled   uint64 `json:"garbled"`   // sentences broken off by another '$' or by a byte that is not printable ASCII

	NoChecksum  uint64 `json:"no_checksum"`  // sentences without a checksum
	BadChecksum uint64 `json:"bad_checksum"` // sentences with a wrong checksum
	Unsupported uint64 `json:"unsupported"`  // sound sentences of a type that is not used here
	Unparsable  uint64 `json:"unparsable"`   // sentences with a right checksum and wrong contents
	Panics      uint64 `json:"panics"`       // those of Unparsable at which the parser panicked
	Accepted    uint64 `json:"accepted"`     // sentences decoded

	OutOfRange uint64 `json:"out_of_range"` // those of Accepted in which a value was impossible
	Late       uint64 `json:"late"`         // those of Accepted that came after their epoch was emitted, or twice

	Epochs     uint64 `json:"epochs"`      // fixes emitted, valid or not
	Fixes      uint64 `json:"fixes"`       // valid fixes emitted
	Disagreed  uint64 `json:"disagreed"`   // epochs refused because their sentences name different places
	BadDates   uint64 `json:"bad_dates"`   // fixes whose date was outside [Floor, Ceiling)
	RolledOver uint64 `json:"rolled_over"` // fixes whose date was moved on by 1024 weeks

	Opens     uint64 `json:"opens"`      // times the port was opened
	Timeouts  uint64 `json:"timeouts"`   // reads that ended without a byte
	QuickEOFs uint64 `json:"quick_eofs"` // reads that ended at once without a byte: a sign of an unplugged device
}

// sound counts the sentences of any type whose checksum was right.
func (c *Counters) sound() uint64 { return c.Unsupported + c.Unparsable + c.Accepted }
