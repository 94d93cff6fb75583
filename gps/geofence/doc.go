// Package geofence answers where a vehicle may look: which zones wholly contain
// the circle in which it must be, and whether that has been so for long enough.
//
// A [Zone] is a polygon or multipolygon in longitude and latitude (WGS 84), with
// holes, from GeoJSON ([ParseZones]) or from an orb geometry ([NewZone]). An
// [Index] is a set of zones made ready for queries; it never changes, so any
// number of goroutines may read it. A [Tracker] follows one vehicle through an
// index: it wants several good fixes well inside a zone before it says inside,
// and one doubtful fix is enough for outside. Whatever is unknown is outside.
//
// The package has no clock, no goroutine and no randomness: the same fixes give
// the same answers.
//
// # What inside means
//
// A zone contains a circle of radius r round p when all of these hold:
//
//   - p lies in exactly one polygon of the zone: in its outer ring and in none of
//     its holes;
//   - every side of every ring of the zone, holes and other polygons included, is
//     farther from p than r. The border belongs to the outside; a side within a
//     micrometre of p is on p;
//   - no hole of another polygon of the zone covers p, unless the polygon lies
//     wholly in that hole (an island).
//
// Polygons of one zone that overlap or share a side are taken the careful way: a
// place covered twice is outside, as is any circle that touches the seam. Dissolve
// them into one polygon, or make them two zones: zones may overlap each other
// freely. Likewise a zone cut at the antimeridian is outside along the cut.
//
// # Metres
//
// Distances are taken on a plane that touches the WGS 84 ellipsoid at the query
// point: degrees times the metres per degree there. That map is affine, so sides
// stay the straight lines in longitude and latitude that RFC 7946 means. A
// distance d, at latitude f, is wrong by less than
//
//	d² / 6371 km * (0.2 * tan|f| + 0.01)
//
// which is below a millimetre for 100 m up to 60° and below 40 cm for 1 km up to
// 85°. Zones beyond 85° north or south are refused, and a circle of more than
// 10 km is in no zone.
//
// # How it is fast
//
// A packed static tree of float32 boxes, eight to a node, finds the polygons that
// may contain the point; a polygon's sides lie in runs of about the square root of
// their number, each run with a box, and only runs that reach the circle or
// straddle its ray are looked at side by side (of a run wholly to the right only
// the ends matter for the parity). The tree is ours and not tidwall/rtree, which
// is good at what is not needed here, inserting and deleting: on the same boxes
// (BenchmarkTree) it takes more than twice as long to find a point's candidates.
//
// # Caveats
//
// Limits: 10,000 points in a zone, 100,000 zones and 1,000,000 points in an
// index, 64 MiB of GeoJSON. Rings are checked for crossings in
// milliseconds, but a ring of thousands of long sides that lie side by side may
// take half a second. Winding is ignored. A GeoJSON file whose longitude and
// latitude are swapped is recognised only where a latitude leaves its range; both
// orders are valid places in much of Europe and Africa.
//
// Decode GeoJSON with this package rather than with orb/geojson, which reads a
// position of one number as latitude 0 and a null as 0, 0.
package geofence
