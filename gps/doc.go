// Package gps turns what a GNSS receiver says on a serial line into fixes that
// can be relied on, and into a clock that can be trusted.
//
// A [Decoder] takes bytes and gives a [Fix] for each epoch, that is for each
// set of sentences that carry the same time of day. A [Receiver] feeds one
// from a serial port. A [Clock] watches the fixes and knows the time once they
// have agreed with one another for long enough. [Between] makes of two fixes
// that of a moment between them, such as that of a frame.
//
// Whatever is not known is said to be unknown; it is never zero, and no fix
// that a Decoder emits is filled in from another epoch. The reason is that "no" is the safe
// answer of everything built on a fix: what is unknown closes the camera.
//
// # Caveats
//
// A fix is complete, and is emitted at once, when RMC and GGA (or GNS) of the
// same time have arrived. From a receiver that sends only one of them an epoch
// ends when the time of day changes or when the line falls silent
// ([Decoder.Idle]); its fixes lack HDOP (RMC alone) or speed and perhaps date
// (GGA alone). Set the receiver to send RMC and GGA.
//
// VTG and GSA carry no time. They count only where they cannot belong to
// another epoch: between two sentences of one time, or next to a silence.
//
// RMC has a two-digit year: 80 to 99 is read as 19xx, the rest as 20xx,
// whatever the board's clock says. A date before [DecoderConfig].Floor is
// tried again 1024 weeks later, because receivers older than a turn of the GPS
// week counter report a date that far back; a replay of an old drive must
// therefore set Floor before the drive or not at all.
//
// Durations are taken between host times alone, which carry a monotonic reading
// ([Fix].At): setting the computer's clock, on the way too, changes nothing.
// Host times that are stored and read back, or stripped by Round(0), lose that.
//
// The serial port is not locked against other programs: keep gpsd and
// ModemManager away from it.
package gps
