// Package scan reads and rewrites the scan of a baseline JPEG without decoding
// it.
//
// A scan is the sequence of minimum coded units (MCUs) of a picture, the Huffman
// codes of their quantised DCT coefficients one after the other (ITU-T T.81,
// sections 4.6 and F.1.2). Whoever follows the codes once knows where each MCU
// begins, and what its DC coefficients are: eight times the mean of each block
// of 8x8 samples. That is enough to
//
//   - skim: make planes of 1/2, 1/4 or 1/8 of the size, from the few low
//     coefficients of each block, for a model to look at ([Picture.Planes]; at
//     full size too, where a model wants that);
//   - splice: copy the bits of all MCUs that are kept, and write others in place
//     of those that are not ([Picture.Splice]).
//
// What is kept is not coded anew, so no sample of it changes, and what is not
// kept is not read: nothing but the position at which it ends is known of it when
// the new picture is written.
//
// # What is read
//
// Baseline sequential DCT (SOF0) with eight bits a sample, one interleaved scan
// of one component or of three with 4:4:4, 4:4:0, 4:2:2, 4:2:0, 4:1:1 or 4:1:0
// sampling, YCbCr, with or without restart intervals, with or without Huffman
// tables: cameras leave out the standard ones of T.81 section K.3. That is what
// cameras give. For all else [Picture.Open] returns an error that is
// [ErrUnsupported], by what the headers say and by nothing in the scan.
//
// # What is written
//
// SOI, DQT, SOF0, DHT, SOS, the scan without restart markers, EOI: made of the
// sizes, the sampling, the quantisation tables and the coefficients. No byte of
// another segment is copied, nor any bit between the MCUs.
//
// Huffman tables say something of the picture they were made for. If the scan
// has the standard tables they are written again. If it has others they may
// have been fitted to all of the picture, also to what is not kept; the scan is
// then coded with tables that are fitted to the new picture (T.81 section K.2).
package scan
