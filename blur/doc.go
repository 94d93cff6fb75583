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
// Each step is a function of the request and of what the step before it left:
//
//   - The regions are grown by a margin and aligned outward to the JPEG grid
//     (MCUs, and no smaller than the footprint of any block of the source).
//     The camera's encoder mixed the samples that a block covers; a block that
//     saw any pixel of a box lies wholly inside the applied region. So the
//     promise holds for the scene before the camera's compression too. No
//     applied region depends on a sample.
//   - A blank canvas receives the samples outside all regions and no others.
//     This copy is the last time the frame is read. Where a region lies the
//     canvas holds zeros, whatever it held before.
//   - The fill, the coarse context and the crop work on the canvas alone, in
//     that order and in integers, so that every machine gives the same bytes.
//   - The canvas is encoded from scratch. The output has the segments SOI,
//     DQT, SOF0, DHT, SOS and EOI, the tables are fixed by the quality, and
//     no byte of the source file is copied: no EXIF and hence no thumbnail,
//     no comment, no application segment, no trailing data.
//
// [Image] has no exported field and no constructor, so that a package which
// takes an *Image takes nothing that has not gone this way. Any error,
// including the end of the context, means that there is no Image.
//
// # Fills
//
// [Veil] is the membrane (the solution of Laplace's equation) spanned by the
// samples round a region, solved on a pyramid of cells and interpolated
// between their centres. Overlapping and touching regions are filled as one,
// so that no region is a neighbour from which another could be filled. With
// nothing left outside, the fill is a middle grey.
//
// # Formats
//
// Sources may have any subsampling that package image knows; the planes keep
// it. Grey JPEGs get neutral 4:2:0 chroma and RGB JPEGs become 4:4:4. The
// output is baseline 4:2:0: the encoder takes the mean of the chroma samples
// that fall on each 2x2 pixels (4:4:4, 4:2:2, 4:4:0) and repeats coarser ones
// (4:1:1, 4:1:0).
//
// # Caveats
//
// The package removes what it is told to remove. Where no region is given
// nothing is redacted, and a face that no detector saw stays in the picture.
//
// The promise is about the pixels inside. The number, the place and the class
// of the regions are told in the result, and so is all that surrounds them: a
// shadow, a reflection, or a name on a door beside the region.
//
// The time [Redact] takes is not covered by the promise.
//
// [Source.Close] zeroes every buffer this package owns. The standard library's
// decoder keeps coefficients of the last blocks (of all, for a progressive
// file) in memory of its own until that is used again; the process must
// therefore not dump core.
package blur
