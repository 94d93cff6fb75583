// Package blur turns a frame into a picture that may leave the vehicle.
//
// # The promise
//
// Non-interference: two frames that are equal outside the applied regions give
// byte-identical results from [Redact], whatever they show inside: the same
// [Image.JPEG], [Image.Regions], [Image.Bounds] and [Image.Offset]. What stood in a region
// cannot be got back by any computation, because nothing of the result was
// computed from it. The default fill only looks like a blur.
//
// # Why it holds
//
// A JPEG is redacted as what it is, coefficients of blocks of 8x8 samples, and is
// neither decoded nor coded anew (package scan). Each step is a function of the
// request and of what the step before it left:
//
//   - The regions are grown by a margin and aligned outward to the grid of the
//     MCUs, no finer than 16x16 pixels. The camera's encoder mixed the samples
//     that a block covers; a block that saw any pixel of a box lies wholly inside
//     the applied region. So the promise holds for the scene before the camera's
//     compression too. No applied region depends on a sample.
//   - A canvas receives the means (the DC coefficients) of the blocks outside all
//     regions and no others. Where a region lies it holds middle grey, whatever it
//     held before.
//   - The fill, the coarse context and the smoothing work on the canvas alone, in
//     integers, so that every machine gives the same bytes.
//   - The MCUs that are kept are copied, bit by bit. All others are written from the
//     canvas. Of an MCU that is not kept the writer knows nothing.
//   - The output has the segments SOI, DQT, SOF0, DHT, SOS and EOI, made anew from
//     sizes and tables: no EXIF and hence no thumbnail, no comment, no application
//     segment, no trailing data. Huffman tables that may have been fitted to the
//     whole picture are replaced by ones that are fitted to the result.
//
// A frame that is no baseline JPEG takes the plain path: it is decoded, what is
// outside the regions is coded as a JPEG, and that goes the same way. Which path a
// file takes its headers say and not its scan.
//
// [Image] has no exported field and no constructor, so that a package which
// takes an *Image takes nothing that has not gone this way. Any error,
// including the end of the context, means that there is no Image.
//
// # Fills
//
// [Veil] is the membrane (the solution of Laplace's equation) spanned by the means
// round a region. Overlapping and touching regions are filled as one, so that no
// region is a neighbour from which another could be filled. With nothing left
// outside, the fill is middle grey. The low coefficients of a block that is
// written follow from its mean and those around it (ITU-T T.81 section K.8), so
// that no grid of blocks is seen. Keeping each block's own mean, or blurring, is no
// redaction: TestPatternCannotBeFound shows what can be got back from that.
//
// # Formats
//
// A spliced image keeps the subsampling, the quantisation and, outside the regions,
// every sample of its source; it has no restart markers. On the plain path chroma
// becomes 4:2:0: the encoder takes the mean of the chroma samples that fall on
// each 2x2 pixels and repeats coarser ones.
//
// # Caveats
//
// The package removes what it is told to remove. Where no region is given
// nothing is redacted, and a face that no detector saw stays in the picture.
//
// The promise is about the pixels inside. The number, the place and the class
// of the regions are told in the result, and so is all that surrounds them: a
// shadow, a reflection, or a name on a door beside the region. An encoder that
// chooses its quantisation by what it sees tells a little of the inside with every
// sample outside.
//
// What an encoder writes for the pixels that an MCU has beyond the border of the
// picture is kept with the MCU, though nobody sees it.
//
// The time [Redact] takes is not covered by the promise.
//
// [Source.Close] zeroes every buffer this package owns. On the plain path the
// standard library's decoder keeps coefficients of the last blocks (of all, for a
// progressive file) in memory of its own until that is used again; the process
// must therefore not dump core.
package blur
