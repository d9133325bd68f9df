/* Reading the weights file (weights.h). */
#include "model/weights.h"
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

enum { HEADER = 64, ENTRY = 32, NAME = 16, SECTIONS_MAX = 512, GATE_BITS_MAX = 24, SHAPE_FIELDS = 12 };

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the weights file is little-endian and used in place"
#endif

struct reader {
  const unsigned char *p;
  size_t n, sections;
  struct weights *w;
  struct vdt_error *err;
  uint32_t gate_bits, letters_bits;
  int rc;
};

static uint32_t u32(const unsigned char *p)
{
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

static uint64_t u64(const unsigned char *p)
{
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* The first fault is kept. */
static void fault(struct reader *r, const char *section, const char *what)
{
  if (!r->rc) r->rc = error_set(r->err, VDT_ERULE, "weights file%s%s: %s", *section ? ", section " : "", section, what);
}

static int check_header(struct reader *r)
{
  if (r->n < HEADER || memcmp(r->p, "VDTMODEL", 8) != 0)
    return error_set(r->err, VDT_ERULE, "this is no weights file of vedette");
  if (u32(r->p + 8) != WEIGHTS_FORMAT)
    return error_set(r->err, VDT_ERULE, "weights file: format %u, and this program reads format %u", u32(r->p + 8),
                     WEIGHTS_FORMAT);
  if (u64(r->p + 16) != r->n)
    return error_set(r->err, VDT_ERULE, "weights file: %zu bytes long, and its header says %llu: it was cut or appended to", r->n,
                     (unsigned long long)u64(r->p + 16));
  r->sections = u32(r->p + 36);
  if (r->sections > SECTIONS_MAX || HEADER + r->sections * ENTRY > r->n)
    return error_set(r->err, VDT_ERULE, "weights file: %zu sections are out of bounds", r->sections);
  if (crc32(0, r->p + HEADER, (uInt)(r->n - HEADER)) != u32(r->p + 32))
    return error_set(r->err, VDT_ERULE, "weights file: the checksum does not fit its content; fetch it again");
  return VDT_OK;
}

/* The section of that name, which must have `size` bytes (0: any number but none). */
static const void *section(struct reader *r, const char *name, uint64_t size, uint64_t *have)
{
  char padded[NAME + 1] = {0};
  snprintf(padded, sizeof padded, "%s", name);
  for (size_t i = 0; i < r->sections; i++) {
    const unsigned char *entry = r->p + HEADER + i * ENTRY;
    if (memcmp(entry, padded, NAME) != 0) continue;
    uint64_t at = u64(entry + NAME), n = u64(entry + NAME + 8);
    if (at % 64 || at > r->n || n > r->n - at) fault(r, name, "lies outside of the file");
    else if (n == 0 || (size && n != size)) fault(r, name, "has not the size that the shape asks for");
    if (have) *have = n;
    return r->rc ? NULL : r->p + at;
  }
  fault(r, name, "is missing");
  return NULL;
}

/* The section of a layer: "3.qkv". */
static const void *layer_section(struct reader *r, uint32_t layer, const char *part, uint64_t size)
{
  char name[2 * NAME];
  snprintf(name, sizeof name, "%u.%s", layer, part);
  return section(r, name, size, NULL);
}

/* Every number of it finite: one that is not would make every score NaN. */
static const float *floats(struct reader *r, const void *p, uint64_t n)
{
  const float *f = p;
  for (uint64_t i = 0; f && i < n; i++)
    if (!isfinite(f[i])) {
      fault(r, "", "a number in it is not finite");
      return NULL;
    }
  return f;
}

static const float *float_section(struct reader *r, const char *name, uint64_t n)
{
  return floats(r, section(r, name, n * sizeof(float), NULL), n);
}

static bool within(uint32_t v, uint32_t low, uint32_t high, uint32_t multiple)
{
  return v >= low && v <= high && v % multiple == 0;
}

/* {width, layers, heads, inner, vocabulary, window, categories, stride, gate bits, letters' bits, knots, layers before the exit} as u32. */
static void read_shape(struct reader *r)
{
  const unsigned char *p = section(r, "shape", SHAPE_FIELDS * 4, NULL);
  if (!p) return;
  struct encoder *e = &r->w->encoder;
  uint32_t *const fields[SHAPE_FIELDS] = {&e->width,      &e->layers,       &e->heads,      &e->inner,
                                          &e->vocabulary, &e->window,       &e->categories, &r->w->stride,
                                          &r->gate_bits,  &r->letters_bits, &r->w->n_knots, &e->exit};
  for (size_t i = 0; i < SHAPE_FIELDS; i++) *fields[i] = u32(p + 4 * i);
  bool fine = within(e->width, 64, WIDTH_MAX, 64) && within(e->layers, 2, LAYERS_MAX, 1) && within(e->heads, 1, 16, 1) &&
              within(e->inner, 64, INNER_MAX, 64) && within(e->vocabulary, FIRST_PIECE + 1, PIECES_MAX, 1) &&
              within(e->window, 16, WINDOW_MAX, 16) && within(e->categories, PROMPT_CATEGORIES + 1, CATEGORIES_MAX, 1) &&
              within(r->w->stride, 1, e->window - 1, 1) && within(r->gate_bits, 8, GATE_BITS_MAX, 1) &&
              within(r->letters_bits, 8, GATE_BITS_MAX, 1) && within(r->w->n_knots, 2, KNOTS_MAX, 1) &&
              within(e->exit, 1, e->layers - 1, 1);
  if (!fine || e->width % e->heads || e->width / e->heads % 32) fault(r, "shape", "a number is out of bounds");
}

static struct matrix matrix(struct reader *r, uint32_t layer, const char *part, uint32_t n, uint32_t k, int32_t **sums)
{
  char scale[NAME];
  snprintf(scale, sizeof scale, "%s.scale", part);
  struct matrix m = {.n = n, .k = k, .sums = *sums};
  m.w = layer_section(r, layer, part, (uint64_t)n * k);
  m.scale = floats(r, layer_section(r, layer, scale, n * sizeof(float)), n);
  if (r->rc) return m;
  for (uint32_t c = 0; c < n; c++) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < k; i += 4)
      for (uint32_t j = 0; j < 4; j++) sum += m.w[((size_t)(c / 16) * k + i) * 16 + c % 16 * 4 + j];
    (*sums)[c] = sum * 128;
  }
  *sums += n;
  return m;
}

static struct norm norm_at(const float *p, uint32_t width)
{
  return (struct norm){p, p ? p + width : NULL};
}

static void read_layers(struct reader *r)
{
  struct encoder *e = &r->w->encoder;
  uint32_t d = e->width;
  r->w->sums = calloc((size_t)e->layers * (3 * d + d + e->inner + d), sizeof *r->w->sums);
  if (!r->w->sums) r->rc = error_set(r->err, VDT_ENOMEM, "out of memory");
  int32_t *sums = r->w->sums;
  for (uint32_t i = 0; i < e->layers && !r->rc; i++) {
    e->layer[i] = (struct layer){
        .before_attention = norm_at(floats(r, layer_section(r, i, "norm1", 8 * (uint64_t)d), 2 * (uint64_t)d), d),
        .before_inner = norm_at(floats(r, layer_section(r, i, "norm2", 8 * (uint64_t)d), 2 * (uint64_t)d), d),
        .qkv = matrix(r, i, "qkv", 3 * d, d, &sums),
        .out = matrix(r, i, "out", d, d, &sums),
        .up = matrix(r, i, "up", e->inner, d, &sums),
        .down = matrix(r, i, "down", d, e->inner, &sums),
    };
  }
}

static struct output output(struct reader *r, const char *prefix, uint32_t width)
{
  static const char *const parts[] = {"norm", "query", "pooled", "mean", "bias"};
  const uint64_t d = width, sizes[] = {2 * d, ROLES * d, ROLES * d, ROLES * d, ROLES};
  const float *p[5];
  for (size_t i = 0; i < 5; i++) {
    char name[2 * NAME];
    snprintf(name, sizeof name, "%s%s", prefix, parts[i]);
    p[i] = float_section(r, name, sizes[i]);
  }
  return (struct output){norm_at(p[0], width), p[1], p[2], p[3], p[4]};
}

static void read_output(struct reader *r)
{
  struct encoder *e = &r->w->encoder;
  uint64_t d = e->width;
  e->embedding = section(r, "embedding", e->vocabulary * d, NULL);
  e->embedding_scale = float_section(r, "embedding.scale", e->vocabulary);
  e->rotary = float_section(r, "rotary", e->window * d / e->heads);
  e->output = output(r, "", e->width);
  e->exit_output = output(r, "exit.", e->width);
  r->w->leave = float_section(r, "exit.leave", ROLES);
  e->category = float_section(r, "category", e->categories * d);
  e->category_bias = float_section(r, "category.bias", e->categories);
}

/* {reach, whole, narrow, wide, bias, last} for each role. */
static struct gate_factors factors(struct reader *r, const char *name, size_t role, float *last)
{
  const float *f = float_section(r, name, 6 * ROLES);
  if (r->rc) return (struct gate_factors){0};
  f += 6 * role;
  *last = f[5];
  if (f[0] >= 1 && f[0] <= GATE_REACH_MAX) return (struct gate_factors){(uint32_t)f[0], f[1], f[2], f[3], f[4]};
  fault(r, name, "its reach is out of bounds");
  return (struct gate_factors){0};
}

/* {whole, narrow, bias, share, pass}. */
static void read_letters(struct reader *r)
{
  const float *f = float_section(r, "letters", 5);
  const int8_t *table = section(r, "letters.table", UINT64_C(1) << r->letters_bits, NULL);
  if (r->rc) return;
  r->w->letters = (struct letters){r->letters_bits, table, f[0], f[1], f[2], f[3], f[4]};
  if (!(f[3] >= 0 && f[3] < 1)) fault(r, "letters", "their share is out of bounds");
}

static void read_gates(struct reader *r)
{
  const struct gate_entry *table = section(r, "gate.table", (sizeof *table * ROLES) << r->gate_bits, NULL);
  for (size_t i = 0; i < ROLES && !r->rc; i++, table += (size_t)1 << r->gate_bits) {
    struct gate *g = &r->w->gate[i];
    *g = (struct gate){.bits = r->gate_bits, .table = table};
    g->guess = factors(r, "gate", i, &g->pass);
    g->witness = factors(r, "witness", i, &g->share);
    if (!r->rc && !(g->share >= 0 && g->share < 1)) fault(r, "witness", "its share is out of bounds");
  }
}

static void read_knots(struct reader *r)
{
  uint64_t n = r->w->n_knots;
  r->w->rules = float_section(r, "rules", ROLES);
  const float *all = float_section(r, "calibration", ROLES * n * 2);
  for (size_t i = 0; i < ROLES && !r->rc; i++) {
    const struct knot *k = (const struct knot *)(const void *)(all + i * n * 2);
    r->w->knots[i] = k;
    for (uint64_t j = 0; j < n; j++)
      if (k[j].score < 0 || k[j].score > 1 || (j && (k[j].logit <= k[j - 1].logit || k[j].score < k[j - 1].score)))
        fault(r, "calibration", "its knots do not rise from 0 to 1");
  }
}

int weights_read(const void *p, size_t n, struct weights *out, struct vdt_error *err)
{
  struct weights w = {0};
  struct reader r = {.p = p, .n = n, .w = &w, .err = err};
  int rc = check_header(&r);
  if (rc) return rc;
  memcpy(w.name, r.p + 40, 24);
  w.version = u32(r.p + 12);
  read_shape(&r);
  if (!r.rc) read_output(&r);
  if (!r.rc) read_layers(&r);
  if (!r.rc) read_letters(&r);
  if (!r.rc) read_gates(&r);
  if (!r.rc) read_knots(&r);
  uint64_t size = 0;
  if (!r.rc) w.pieces.p = section(&r, "pieces", 0, &size);
  w.pieces.n = size;
  if (r.rc) weights_finish(&w);
  else *out = w;
  return r.rc;
}

void weights_finish(struct weights *w)
{
  free(w->sums);
  w->sums = NULL;
}
