#include "lines.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "two samples are read as a number whose low byte is the first: build with CGO_ENABLED=0"
#endif

// A product must not be fused with a sum: Go computes the same, to the last
// bit. GCC leaves them apart by its option -std=c11.
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

// Of the processors that we are built for, only those of Intel and AMD come
// with and without the vectors that are wanted.
#if defined(__x86_64__) && defined(__GLIBC__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "ssse3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

typedef uint8_t bytes __attribute__((vector_size(16)));

#ifdef __clang__
static inline bytes shuffled(bytes v, bytes lanes) {
  bytes out;
  for (int i = 0; i < 16; i++) out[i] = v[lanes[i]];
  return out;
}
#else
#define shuffled __builtin_shuffle
#endif

// What is scattered is gathered first, by itself: the rest is done several at
// a time.
FOR_EACH_PROCESSOR
static void gather(uint16_t *restrict pairs, const uint8_t *restrict row, struct gadeblik_taps x, int n) {
  int i = 0;
  if (x.start)
    for (; i + 8 <= n; i += 8) {
      bytes v, lanes;
      memcpy(&v, row + x.start[i / 8], 16);
      memcpy(&lanes, x.lanes + 2 * i, 16);
      v = shuffled(v, lanes);
      memcpy(pairs + i, &v, 16);
    }
  for (; i < n; i++) memcpy(pairs + i, row + x.at[i], 2);
}

FOR_EACH_PROCESSOR
static void across(float *restrict out, const uint16_t *restrict pairs, const float *restrict weight, int n) {
  for (int i = 0; i < n; i++) {
    const float a = (float)(pairs[i] & 255), b = (float)(pairs[i] >> 8);
    out[i] = a + (b - a) * weight[i];
  }
}

// A row of a plane, scaled to the width of the picture in the tensor.
struct row {
  int index;
  float *values;
};

static void scale(struct row *r, const uint8_t *samples, int columns, struct gadeblik_taps x, uint16_t *pairs, int n) {
  if (columns == 1) {
    for (int i = 0; i < n; i++) r->values[i] = samples[0];
    return;
  }
  gather(pairs, samples, x, n);
  across(r->values, pairs, x.weight, n);
}

// The two rows that meet in a row of the tensor, and the weight of the second.
struct meeting {
  const float *a, *b;
  float weight;
};

static struct meeting meet(struct row kept[2], struct gadeblik_plane plane, struct gadeblik_taps x,
                           struct gadeblik_taps y, int at, uint16_t *pairs, int n) {
  const float *two[2];
  for (int i = 0; i < 2; i++) {
    int index = y.at[at] + i;
    if (index > plane.height - 1) index = plane.height - 1;
    struct row *r = &kept[index & 1];
    if (r->index != index) {
      r->index = index;
      scale(r, plane.samples + (ptrdiff_t)index * plane.stride, plane.width, x, pairs, n);
    }
    two[i] = r->values;
  }
  return (struct meeting){two[0], two[1], y.weight[at]};
}

static inline float value(float v, float top, float quarter) {
  float missing = 510 - (v + fabsf(v));
  missing += fabsf(missing);
  return top - missing * quarter;
}

FOR_EACH_PROCESSOR
static void down(float *restrict red, float *restrict green, float *restrict blue, const float *restrict y0,
                 const float *restrict y1, float luma, const float *restrict cb0, const float *restrict cb1,
                 const float *restrict cr0, const float *restrict cr1, float chroma, struct gadeblik_tone t, int n) {
  for (int i = 0; i < n; i++) {
    const float y = y0[i] + (y1[i] - y0[i]) * luma;
    const float cb = cb0[i] + (cb1[i] - cb0[i]) * chroma - 128;
    const float cr = cr0[i] + (cr1[i] - cr0[i]) * chroma - 128;
    red[i] = value(y + 1.402f * cr, t.top[0], t.quarter[0]);
    green[i] = value(y - 0.344136f * cb - 0.714136f * cr, t.top[1], t.quarter[1]);
    blue[i] = value(y + 1.772f * cb, t.top[2], t.quarter[2]);
  }
}

void gadeblik_lines(struct gadeblik_lines l) {
  struct row rows[6];
  for (int i = 0; i < 6; i++) rows[i] = (struct row){-1, l.rows + (ptrdiff_t)i * l.width};
  for (int i = 0; i < l.height; i++) {
    const struct meeting y = meet(rows, l.luma, l.x, l.y, i, l.pairs, l.width);
    const struct meeting cb = meet(rows + 2, l.cb, l.cx, l.cy, i, l.pairs, l.width);
    const struct meeting cr = meet(rows + 4, l.cr, l.cx, l.cy, i, l.pairs, l.width);
    const ptrdiff_t at = (ptrdiff_t)i * l.stride;
    down(l.red + at, l.green + at, l.blue + at, y.a, y.b, y.weight, cb.a, cb.b, cr.a, cr.b, cb.weight, l.tone, l.width);
  }
}
