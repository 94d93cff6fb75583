// What lines.go says in Go. It is in C because its compilers use a processor's
// vectors, and Go's does not.
#include <stdint.h>

// A plane has stride samples from one row to the next.
struct gadeblik_plane {
  const uint8_t *samples;
  int stride, width, height;
};

// See taps and together in Go. start is NULL where eight are not together.
struct gadeblik_taps {
  const uint16_t *at;
  const float *weight;
  const uint16_t *start;
  const uint8_t *lanes;
};

// By colour: red, green, blue.
struct gadeblik_tone {
  float top[3], quarter[3];
};

struct gadeblik_lines {
  struct gadeblik_plane luma, cb, cr;
  struct gadeblik_taps x, y, cx, cy;  // of luma, and of both planes of chroma
  float *rows;                        // scratch: 6 rows
  uint16_t *pairs;                    // scratch: 1 row
  float *red, *green, *blue;          // in the tensor, stride values from one row to the next
  int stride, width, height;          // width and height of the picture in the tensor
  struct gadeblik_tone tone;
};

void gadeblik_lines(struct gadeblik_lines l);
