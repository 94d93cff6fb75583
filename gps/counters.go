package gps

// Counters says what became of everything that was read. The sums hold at any
// moment: Sentences = NoChecksum + BadChecksum + Unsupported + Unparsable +
// Accepted, and Fixes <= Epochs.
type Counters struct {
	Bytes uint64 // bytes taken in
	Noise uint64 // bytes outside any sentence, line ends excepted

	Sentences uint64 // whole lines that begin with '$'
	Overlong  uint64 // sentences dropped because they were longer than 256 bytes
	Garbled   uint64 // sentences broken off by another '$' or by a byte that is not printable ASCII

	NoChecksum  uint64 // sentences without a checksum
	BadChecksum uint64 // sentences with a wrong checksum
	Unsupported uint64 // sound sentences of a type that is not used here
	Unparsable  uint64 // sentences with a right checksum and wrong contents
	Panics      uint64 // those of Unparsable at which the parser panicked
	Accepted    uint64 // sentences decoded

	OutOfRange uint64 // those of Accepted in which a value was impossible
	Late       uint64 // those of Accepted that came after their epoch was emitted, or twice

	Epochs     uint64 // fixes emitted, valid or not
	Fixes      uint64 // valid fixes emitted
	Disagreed  uint64 // epochs refused because their sentences name different places
	BadDates   uint64 // fixes whose date was outside [Floor, Ceiling)
	RolledOver uint64 // fixes whose date was moved on by 1024 weeks

	Opens     uint64 // times the port was opened
	Timeouts  uint64 // reads that ended without a byte
	QuickEOFs uint64 // reads that ended at once without a byte: a sign of an unplugged device
}

// sound counts the sentences of any type whose checksum was right.
func (c *Counters) sound() uint64 { return c.Unsupported + c.Unparsable + c.Accepted }
