// Package capture owns the raw frame: where it comes from, how long it lives
// and when it is forgotten.
//
// A [Camera] gives frames; [Slot] hands the newest one over and forgets the
// rest; [Pool] holds the memory that raw pixels live in and clears it. A
// [Drive] is a recorded trip, read as [Event] values in order of time for a
// replay, or played as a camera by [DriveCamera]. [Sampler] says when the
// vehicle has travelled far enough to look again. [FixMJPEG] is the one place
// that decides whether bytes from a camera are a picture.
//
// Subpackage v4l2 is the camera of a Linux computer.
//
// # Caveats
//
// Raw pixels may not outlive their frame: after [Frame.Release] its memory is
// zeroed and used again, so nothing may keep Frame.JPEG or the planes of
// Frame.YCbCr. Who receives a frame releases it, exactly one owner at a time.
//
// [FixMJPEG] checks the structure of a picture, not its entropy-coded data: a
// picture whose inside was overwritten may pass and look wrong.
//
// Frames and NMEA sentences of a drive carry drive time in UTC, without a
// monotonic reading; frames of a live camera carry host time with one. The two
// kinds are not to be mixed.
package capture
