/*
 * What a program on libjpeg-turbo spends on the work of Gadeblik, for
 * `make bench`. It reads one JPEG and then commands, one a line, and answers
 * each with the CPU time that it took, in nanoseconds.
 *
 *   turbo PICTURE QUALITY X0,Y0,X1,Y1...
 *
 *   redact    decode to BGR, fill the rectangles, encode: the usual way.
 *   planes    the same without converting colours or touching the subsampling
 *             of chroma: nothing is faster with this library.
 *   look      what a look and its picture take beside the model in the usual
 *             way: decode to BGR, scale to 416x416 floats, fill, encode.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#ifndef LIBJPEG_TURBO_VERSION
#error "this is not libjpeg-turbo"
#endif

enum { TENSOR = 416, PAD = 114, MAX_REGIONS = 32 };

typedef struct {
  int x0, y0, x1, y1;
} region;

static unsigned char *file;
static unsigned long file_size;
static int quality, regions_n;
static region regions[MAX_REGIONS];

static void die(const char *what) {
  fprintf(stderr, "turbo: %s\n", what);
  exit(1);
}

/* grown returns a buffer of at least n bytes; it is used again. */
static unsigned char *grown(unsigned char **buffer, size_t *have, size_t n) {
  if (*have < n) {
    free(*buffer);
    *buffer = malloc(n);
    *have = n;
    if (!*buffer) die("out of memory");
  }
  return *buffer;
}

/* picture is a decoded frame: three planes, or one plane of BGR. */
typedef struct {
  int width, height;
  unsigned char *plane[3];
  size_t size[3];
  int stride[3], rows[3], h[3], v[3]; /* sampling factors */
} picture;

static picture frame;

static unsigned char *out;
static unsigned long out_size;

static void decode_planes(void) {
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr errors;
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
  int c, i, mcu;

  d.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, file, file_size);
  jpeg_read_header(&d, TRUE);
  if (d.num_components != 3 || d.max_v_samp_factor > 2) die("want a picture in YCbCr, 4:2:0 or finer");
  d.raw_data_out = TRUE;
  d.out_color_space = JCS_YCbCr;
  jpeg_start_decompress(&d);
  frame.width = d.output_width;
  frame.height = d.output_height;
  mcu = d.max_v_samp_factor * DCTSIZE;
  for (c = 0; c < 3; c++) {
    jpeg_component_info *info = &d.comp_info[c];
    frame.h[c] = info->h_samp_factor;
    frame.v[c] = info->v_samp_factor;
    frame.stride[c] = info->width_in_blocks * DCTSIZE + 2 * DCTSIZE;
    frame.rows[c] = (frame.height + mcu - 1) / mcu * info->v_samp_factor * DCTSIZE;
    grown(&frame.plane[c], &frame.size[c], (size_t)frame.stride[c] * frame.rows[c]);
  }
  while (d.output_scanline < d.output_height) {
    for (c = 0; c < 3; c++)
      for (i = 0; i < frame.v[c] * DCTSIZE; i++)
        rows[c][i] = frame.plane[c] + (size_t)(d.output_scanline / mcu * frame.v[c] * DCTSIZE + i) * frame.stride[c];
    jpeg_read_raw_data(&d, planes, mcu);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
}

static void start_encoder(struct jpeg_compress_struct *e, struct jpeg_error_mgr *errors, J_COLOR_SPACE space) {
  e->err = jpeg_std_error(errors);
  jpeg_create_compress(e);
  jpeg_mem_dest(e, &out, &out_size);
  e->image_width = frame.width;
  e->image_height = frame.height;
  e->input_components = 3;
  e->in_color_space = space;
  jpeg_set_defaults(e); /* 4:2:0 */
  jpeg_set_quality(e, quality, TRUE);
}

static void end_encoder(struct jpeg_compress_struct *e) {
  jpeg_finish_compress(e);
  jpeg_destroy_compress(e);
  free(out);
  out = NULL;
  out_size = 0;
}

static void encode_planes(void) {
  struct jpeg_compress_struct e;
  struct jpeg_error_mgr errors;
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
  int c, i, mcu = frame.v[0] * DCTSIZE;

  start_encoder(&e, &errors, JCS_YCbCr);
  for (c = 0; c < 3; c++) {
    e.comp_info[c].h_samp_factor = frame.h[c];
    e.comp_info[c].v_samp_factor = frame.v[c];
  }
  e.raw_data_in = TRUE;
  jpeg_start_compress(&e, TRUE);
  while (e.next_scanline < e.image_height) {
    for (c = 0; c < 3; c++)
      for (i = 0; i < frame.v[c] * DCTSIZE; i++)
        rows[c][i] = frame.plane[c] + (size_t)(e.next_scanline / mcu * frame.v[c] * DCTSIZE + i) * frame.stride[c];
    jpeg_write_raw_data(&e, planes, mcu);
  }
  end_encoder(&e);
}

static void fill_planes(void) {
  int i, c, y;

  for (i = 0; i < regions_n; i++)
    for (c = 0; c < 3; c++) {
      int h = frame.h[0] / frame.h[c], v = frame.v[0] / frame.v[c];
      for (y = regions[i].y0 / v; y < regions[i].y1 / v; y++)
        memset(frame.plane[c] + (size_t)y * frame.stride[c] + regions[i].x0 / h, 128, regions[i].x1 / h - regions[i].x0 / h);
    }
}

static void decode_bgr(void) {
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr errors;

  d.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, file, file_size);
  jpeg_read_header(&d, TRUE);
  d.out_color_space = JCS_EXT_BGR;
  jpeg_start_decompress(&d);
  frame.width = d.output_width;
  frame.height = d.output_height;
  frame.stride[0] = 3 * frame.width;
  grown(&frame.plane[0], &frame.size[0], (size_t)frame.stride[0] * frame.height);
  while (d.output_scanline < d.output_height) {
    JSAMPROW row = frame.plane[0] + (size_t)d.output_scanline * frame.stride[0];
    jpeg_read_scanlines(&d, &row, 1);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
}

static void encode_bgr(void) {
  struct jpeg_compress_struct e;
  struct jpeg_error_mgr errors;

  start_encoder(&e, &errors, JCS_EXT_BGR);
  jpeg_start_compress(&e, TRUE);
  while (e.next_scanline < e.image_height) {
    JSAMPROW row = frame.plane[0] + (size_t)e.next_scanline * frame.stride[0];
    jpeg_write_scanlines(&e, &row, 1);
  }
  end_encoder(&e);
}

static void fill_bgr(void) {
  int i, y;

  for (i = 0; i < regions_n; i++)
    for (y = regions[i].y0; y < regions[i].y1; y++)
      memset(frame.plane[0] + (size_t)y * frame.stride[0] + 3 * regions[i].x0, 128, 3 * (regions[i].x1 - regions[i].x0));
}

/* Not static: the compiler must not see that nobody reads it. */
float tensor[3 * TENSOR * TENSOR];

/* letterbox scales bilinearly, proportions kept, into planes of floats. */
static void letterbox(void) {
  static int left[TENSOR];
  static float weight[TENSOR];
  float larger = frame.width > frame.height ? frame.width : frame.height, step = larger / TENSOR;
  int w = frame.width / step, h = frame.height / step, x, y, c, i;

  for (i = 0; i < 3 * TENSOR * TENSOR; i++) tensor[i] = PAD;
  for (x = 0; x < w; x++) {
    float at = (x + 0.5f) * step - 0.5f;
    left[x] = at < 0 ? 0 : at;
    if (left[x] > frame.width - 2) left[x] = frame.width - 2;
    weight[x] = at - left[x];
  }
  for (y = 0; y < h; y++) {
    float at = (y + 0.5f) * step - 0.5f;
    int row = at < 0 ? 0 : at;
    if (row > frame.height - 2) row = frame.height - 2;
    float below = at - row;
    const unsigned char *a = frame.plane[0] + (size_t)row * frame.stride[0], *b = a + frame.stride[0];
    for (x = 0; x < w; x++)
      for (c = 0; c < 3; c++) {
        int p = 3 * left[x] + c;
        float top = a[p] + weight[x] * (a[p + 3] - a[p]), bottom = b[p] + weight[x] * (b[p + 3] - b[p]);
        tensor[(c * TENSOR + y) * TENSOR + x] = top + below * (bottom - top);
      }
  }
}

static long long cpu(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void run(const char *command) {
  long long began = cpu();

  if (!strcmp(command, "planes")) {
    decode_planes();
    fill_planes();
    encode_planes();
  } else if (!strcmp(command, "decode")) {
    decode_planes();
  } else if (!strcmp(command, "decode-bgr")) {
    decode_bgr();
  } else if (!strcmp(command, "redact") || !strcmp(command, "look")) {
    decode_bgr();
    if (!strcmp(command, "look")) letterbox();
    fill_bgr();
    encode_bgr();
  } else {
    die("commands are redact, planes, look, decode and decode-bgr");
  }
  printf("%lld\n", cpu() - began);
  fflush(stdout);
}

static void read_file(const char *path) {
  FILE *f = fopen(path, "rb");
  size_t have = 0;

  if (!f || fseek(f, 0, SEEK_END)) die("the picture can't be read");
  file_size = ftell(f);
  rewind(f);
  if (fread(grown(&file, &have, file_size), 1, file_size, f) != file_size) die("the picture can't be read");
  fclose(f);
}

int main(int n, char **arg) {
  char line[32];
  int i;

  if (n < 3 || n - 3 > MAX_REGIONS) die("usage: turbo PICTURE QUALITY X0,Y0,X1,Y1...");
  read_file(arg[1]);
  quality = atoi(arg[2]);
  for (i = 3; i < n; i++) {
    region *r = &regions[regions_n++];
    if (sscanf(arg[i], "%d,%d,%d,%d", &r->x0, &r->y0, &r->x1, &r->y1) != 4) die("a rectangle is X0,Y0,X1,Y1");
  }
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    run(line);
  }
  return 0;
}
