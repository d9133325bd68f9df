/* The weights file: what is broken is refused, with the place; what is whole gives the same on every path, and what a plain
 * calculation gives. */
#include "model/model.h"
#include "tests/model/rig.h"
#include "tests/model/tiles.h"
#include "tests/test.h"

static int open_copy(const char *p, size_t n, struct vdt_error *err)
{
  struct model *m = NULL;
  char *copy = aligned_alloc(64, (n + 64) / 64 * 64);
  memcpy(copy, p, n);
  int rc = model_new(copy, n, NULL, &m, err);
  model_free(m);
  free(copy);
  return rc;
}

static void is_read(void)
{
  size_t n;
  char *p = rig_file(1, -100, &n);
  struct model *m = NULL;
  CHECK_INT(model_new(p, n, NULL, &m, NULL), VDT_OK);
  CHECK_STR(str_of(model_name(m)), "rig");
  CHECK_INT(model_version(m), 7);
  model_free(m);
  free(p);
}

static void every_cut_is_refused(void)
{
  size_t n;
  char *p = rig_file(1, -100, &n);
  for (size_t k = 0; k < n; k += k < 4096 ? 13 : 4999) {
    struct vdt_error err = {0};
    CHECK_INT(open_copy(p, k, &err), VDT_ERULE);
    CHECK(strstr(err.text, "weights file") != NULL);
  }
  free(p);
}

static void a_changed_byte_is_refused(void)
{
  size_t n;
  char *p = rig_file(1, -100, &n);
  for (size_t k = 64; k < n; k += 1009) {
    p[k] ^= 1;
    CHECK_INT(open_copy(p, n, NULL), VDT_ERULE);
    p[k] ^= 1;
  }
  CHECK_INT(open_copy(p, n, NULL), VDT_OK);
  free(p);
}

/* The file offset of a section's table entry. */
static char *entry(char *p, const char *name)
{
  for (size_t i = 0; i < RIG_SECTIONS; i++)
    if (strncmp(p + 64 + i * 32, name, 16) == 0) return p + 64 + i * 32;
  abort();
}

static void set_u64(char *p, uint64_t v)
{
  memcpy(p, &v, sizeof v);
}

static uint64_t get_u64(const char *p)
{
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

static void rename_section(char *p, size_t n)
{
  (void)n;
  entry(p, "1.up")[0] = '7';
}
static void move_beyond(char *p, size_t n)
{
  set_u64(entry(p, "embedding") + 16, (n + 63) / 64 * 64);
}
static void move_far(char *p, size_t n)
{
  (void)n;
  set_u64(entry(p, "embedding") + 16, UINT64_MAX / 64 * 64);
}
static void misalign(char *p, size_t n)
{
  (void)n;
  set_u64(entry(p, "norm") + 16, get_u64(entry(p, "norm") + 16) + 4);
}
static void shorten(char *p, size_t n)
{
  (void)n;
  set_u64(entry(p, "0.qkv") + 24, get_u64(entry(p, "0.qkv") + 24) - 1);
}
static void lengthen(char *p, size_t n)
{
  (void)n;
  set_u64(entry(p, "gate.table") + 24, UINT64_MAX);
}
static void set_float(char *p, const char *section, size_t i, float f)
{
  memcpy(p + get_u64(entry(p, section) + 16) + i * sizeof f, &f, sizeof f);
}
static void shape_field(char *p, size_t field, uint32_t v)
{
  memcpy(p + get_u64(entry(p, "shape") + 16) + 4 * field, &v, sizeof v);
}
static void huge_width(char *p, size_t n)
{
  (void)n;
  shape_field(p, 0, WIDTH_MAX + 64);
}
static void odd_width(char *p, size_t n)
{
  (void)n;
  shape_field(p, 0, 65);
}
static void no_heads(char *p, size_t n)
{
  (void)n;
  shape_field(p, 2, 0);
}
static void exit_before_all(char *p, size_t n)
{
  (void)n;
  shape_field(p, 11, 0);
}
static void exit_behind_all(char *p, size_t n)
{
  (void)n;
  shape_field(p, 11, RIG_LAYERS);
}
static void stride_of_window(char *p, size_t n)
{
  (void)n;
  shape_field(p, 7, RIG_WINDOW);
}
static void not_a_number(char *p, size_t n)
{
  (void)n;
  set_float(p, "pooled", 2, NAN);
}
static void whole_share(char *p, size_t n)
{
  (void)n;
  set_float(p, "witness", 11, 1);
}
static void no_reach(char *p, size_t n)
{
  (void)n;
  set_float(p, "gate", 0, 0);
}
static void too_far(char *p, size_t n)
{
  (void)n;
  set_float(p, "witness", 6, GATE_REACH_MAX + 1);
}
static void less_than_no_share(char *p, size_t n)
{
  (void)n;
  set_float(p, "witness", 5, -0.01f);
}
static void letters_take_all(char *p, size_t n)
{
  (void)n;
  set_float(p, "letters", 3, 1);
}
static void letters_have_less_than_none(char *p, size_t n)
{
  (void)n;
  set_float(p, "letters", 3, -0.01f);
}
static void a_letter_too_few(char *p, size_t n)
{
  (void)n;
  shape_field(p, 9, RIG_LETTERS_BITS + 1);
}
static void no_letters(char *p, size_t n)
{
  (void)n;
  shape_field(p, 9, 7);
}
static void falling_knots(char *p, size_t n)
{
  (void)n;
  set_float(p, "calibration", 0, 20);
}
static void many_sections(char *p, size_t n)
{
  (void)n;
  uint32_t v = 0xFFFFFFFF;
  memcpy(p + 36, &v, sizeof v);
}
static void other_format(char *p, size_t n)
{
  (void)n;
  p[8] = WEIGHTS_FORMAT + 1;
}

static const struct {
  const char *name;
  void (*change)(char *p, size_t n);
  const char *said;
} faults[] = {
    {"a section that is missing", rename_section, "1.up"},
    {"a section at the end of the file", move_beyond, "embedding"},
    {"a section far outside", move_far, "embedding"},
    {"a section out of line", misalign, "norm"},
    {"a matrix one byte short", shorten, "0.qkv"},
    {"a section longer than any file", lengthen, "gate.table"},
    {"a width beyond the limit", huge_width, "shape"},
    {"a width that is no multiple", odd_width, "shape"},
    {"no heads", no_heads, "shape"},
    {"a stride as long as the window", stride_of_window, "shape"},
    {"an exit before the first layer", exit_before_all, "shape"},
    {"an exit behind the last layer", exit_behind_all, "shape"},
    {"a number that is none", not_a_number, "finite"},
    {"a witness that is the whole logit", whole_share, "witness"},
    {"a witness with less than no share", less_than_no_share, "witness"},
    {"a gate without pairs", no_reach, "gate"},
    {"a witness that reaches too far", too_far, "witness"},
    {"letters that are the whole logit", letters_take_all, "letters"},
    {"letters with less than no share", letters_have_less_than_none, "letters"},
    {"a table of letters that is half as long", a_letter_too_few, "letters.table"},
    {"letters in too few places", no_letters, "shape"},
    {"a calibration that falls", falling_knots, "calibration"},
    {"more sections than there is room for", many_sections, "sections"},
    {"another format", other_format, "format 7"},
};

static void refuses(size_t i)
{
  size_t n;
  char *p = rig_file(1, -100, &n);
  struct vdt_error err = {0};
  faults[i].change(p, n);
  rig_seal(p, n);
  CHECK_INT(open_copy(p, n, &err), VDT_ERULE);
  CHECK(strstr(err.text, faults[i].said) != NULL);
  free(p);
}

/* ---- what is computed -------------------------------------------------------------------------------------------- */

static const uint32_t sample[] = {TOKEN_PROMPT,
                                  FIRST_PIECE + 1,
                                  FIRST_PIECE + 2,
                                  40,
                                  TOKEN_NEWLINE,
                                  FIRST_PIECE,
                                  FIRST_PIECE + 7,
                                  99,
                                  5,
                                  6,
                                  7,
                                  8,
                                  9,
                                  200,
                                  201,
                                  202,
                                  203,
                                  5,
                                  6};

/* Whether the paths that this processor has, and the one with AMX, read the sample alike, all of its lengths; the last one's logit by the portable path. */
static float compare_paths(const struct encoder *e)
{
  struct encoder_scratch *s = encoder_scratch_new(e);
  encoder_run *const runs[] = {encoder_path("avx2"), encoder_path("avx512vnni"), encoder_path("amx"), encoder_run_tiles};
  struct reading want, got;
  for (size_t length = 2; length <= sizeof sample / sizeof *sample; length++) {
    encoder_path("portable")(e, s, sample, length, -1e30f, &want);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
      encoder_run *run = runs[i];
      if (!run) continue;
      memset(&got, 0, sizeof got);
      run(e, s, sample, length, -1e30f, &got);
      CHECK(memcmp(&got.logit, &want.logit, sizeof got.logit) == 0);
      CHECK_INT(got.category, want.category);
      CHECK(memcmp(got.brought, want.brought, length * sizeof *got.brought) == 0);
    }
  }
  encoder_scratch_free(s);
  return want.logit;
}

static void paths_agree_to_the_bit(void)
{
  size_t n;
  char *p = rig_file(3, -100, &n);
  struct weights w;
  CHECK_INT(weights_read(p, n, &w, NULL), VDT_OK);
  CHECK(isfinite(compare_paths(&w.encoder)));
  weights_finish(&w);
  free(p);
}

/* Factors that are too large: sums become infinite and then no numbers, which comparisons treat in a way of their own. */
static void paths_agree_where_numbers_overflow(void)
{
  size_t n, no_number = 0;
  char *p = rig_file(3, -100, &n);
  struct weights w;
  static float factors[3 * RIG_WIDTH];
  CHECK_INT(weights_read(p, n, &w, NULL), VDT_OK);
  for (size_t i = 0; i < 3 * RIG_WIDTH; i++) factors[i] = i % 7 == 0 ? 3e38f : i % 5 == 0 ? 1e30f : -2e20f;
  struct layer *layer = &w.encoder.layer[1], kept = *layer;
  const float **const places[] = {&layer->qkv.scale, &layer->out.scale, &layer->up.scale, &layer->down.scale,
                                  &layer->before_inner.gain};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    *places[i] = factors;
    no_number += isfinite(compare_paths(&w.encoder)) ? 0 : 1;
    *layer = kept;
  }
  CHECK(no_number > 0);
  weights_finish(&w);
  free(p);
}

/* The same network in doubles, without 8-bit activations, from the book. */
static double weight_of(const struct matrix *m, size_t n, size_t k)
{
  return m->w[(n / 16 * m->k + k / 4 * 4) * 16 + n % 16 * 4 + k % 4] * (double)m->scale[n];
}

static void multiply(const struct matrix *m, const double *in, double *out)
{
  for (size_t n = 0; n < m->n; n++) {
    out[n] = 0;
    for (size_t k = 0; k < m->k; k++) out[n] += in[k] * weight_of(m, n, k);
  }
}

static void normalise(const struct norm *n, const double *in, double *out)
{
  double mean = 0, square = 0;
  for (size_t i = 0; i < RIG_WIDTH; i++) mean += in[i] / RIG_WIDTH;
  for (size_t i = 0; i < RIG_WIDTH; i++) square += (in[i] - mean) * (in[i] - mean) / RIG_WIDTH;
  for (size_t i = 0; i < RIG_WIDTH; i++) out[i] = (in[i] - mean) / sqrt(square + 1e-5) * (double)n->gain[i] + (double)n->bias[i];
}

enum { TOKENS = sizeof sample / sizeof *sample, E = RIG_WIDTH / RIG_HEADS };

static void turn(const struct encoder *e, size_t at, double *head)
{
  for (size_t i = 0; i < E / 2; i++) {
    double c = (double)e->rotary[at * E + i], s = (double)e->rotary[at * E + E / 2 + i], l = head[i], r = head[i + E / 2];
    head[i] = l * c - r * s;
    head[i + E / 2] = l * s + r * c;
  }
}

static void attend_plainly(double qkv[TOKENS][3 * RIG_WIDTH], double out[TOKENS][RIG_WIDTH], size_t h)
{
  for (size_t a = 0; a < TOKENS; a++) {
    double weight[TOKENS], total = 0;
    for (size_t b = 0; b < TOKENS; b++) {
      double dot = 0;
      for (size_t i = 0; i < E; i++) dot += qkv[a][h * E + i] * qkv[b][RIG_WIDTH + h * E + i];
      weight[b] = exp(dot / sqrt(E));
      total += weight[b];
    }
    for (size_t i = 0; i < E; i++) {
      out[a][h * E + i] = 0;
      for (size_t b = 0; b < TOKENS; b++) out[a][h * E + i] += weight[b] / total * qkv[b][2 * RIG_WIDTH + h * E + i];
    }
  }
}

static void layer_plainly(const struct encoder *e, const struct layer *l, double x[TOKENS][RIG_WIDTH])
{
  double qkv[TOKENS][3 * RIG_WIDTH], joined[TOKENS][RIG_WIDTH], row[RIG_WIDTH], wide[RIG_INNER], out[RIG_WIDTH];
  for (size_t t = 0; t < TOKENS; t++) {
    normalise(&l->before_attention, x[t], row);
    multiply(&l->qkv, row, qkv[t]);
    for (size_t h = 0; h < 2 * RIG_HEADS; h++) turn(e, t, qkv[t] + h * E);
  }
  for (size_t h = 0; h < RIG_HEADS; h++) attend_plainly(qkv, joined, h);
  for (size_t t = 0; t < TOKENS; t++) {
    multiply(&l->out, joined[t], out);
    for (size_t i = 0; i < RIG_WIDTH; i++) x[t][i] += out[i];
    normalise(&l->before_inner, x[t], row);
    multiply(&l->up, row, wide);
    for (size_t i = 0; i < RIG_INNER; i++) wide[i] /= 1 + exp(-1.702 * wide[i]);
    multiply(&l->down, wide, out);
    for (size_t i = 0; i < RIG_WIDTH; i++) x[t][i] += out[i];
  }
}

/* What an output says after so many layers. */
static double logit_plainly(const struct encoder *e, uint32_t layers, const struct output *o)
{
  static double x[TOKENS][RIG_WIDTH];
  double logit = (double)o->bias[0], total = 0, weight[TOKENS], pooled[TOKENS];
  for (size_t t = 0; t < TOKENS; t++)
    for (size_t i = 0; i < RIG_WIDTH; i++)
      x[t][i] = e->embedding[sample[t] * RIG_WIDTH + i] * (double)e->embedding_scale[sample[t]];
  for (size_t l = 0; l < layers; l++) layer_plainly(e, &e->layer[l], x);
  for (size_t t = 0; t < TOKENS; t++) {
    double row[RIG_WIDTH], query = 0;
    normalise(&o->norm, x[t], row);
    pooled[t] = 0;
    for (size_t i = 0; i < RIG_WIDTH; i++) {
      query += row[i] * (double)o->query[i];
      pooled[t] += row[i] * (double)o->pooled[i];
      logit += row[i] * (double)o->mean[i] / TOKENS;
    }
    weight[t] = exp(query);
    total += weight[t];
  }
  for (size_t t = 0; t < TOKENS; t++) logit += weight[t] / total * pooled[t];
  return logit;
}

/* leave: with it at a huge number, the exit's output is what comes out. */
static void is_what_a_plain_calculation_gives(bool leave)
{
  for (uint64_t seed = 1; seed < 6; seed++) {
    size_t n;
    char *p = rig_file(seed, -100, &n);
    struct weights w;
    struct reading got;
    CHECK_INT(weights_read(p, n, &w, NULL), VDT_OK);
    struct encoder_scratch *s = encoder_scratch_new(&w.encoder);
    encoder_path(NULL)(&w.encoder, s, sample, TOKENS, leave ? 1e9f : -1e9f, &got);
    const struct output *o = leave ? &w.encoder.exit_output : &w.encoder.output;
    double want = logit_plainly(&w.encoder, leave ? RIG_EXIT : RIG_LAYERS, o), sum = (double)o->bias[0];
    if (!(fabs((double)got.logit - want) < 0.05 + 0.05 * fabs(want)))
      printf("# seed %d: %g, want %g\n", (int)seed, (double)got.logit, want);
    CHECK(fabs((double)got.logit - want) < 0.05 + 0.05 * fabs(want));
    CHECK_INT(got.left, leave);
    for (size_t i = 0; i < TOKENS; i++) sum += (double)got.brought[i];
    CHECK(fabs(sum - (double)got.logit) < 1e-3); /* what the tokens brought is the logit */
    encoder_scratch_free(s);
    weights_finish(&w);
    free(p);
  }
}

/* A window whose logit at the exit is exactly the threshold is read on. */
static void only_what_lies_below_leaves(void)
{
  size_t n;
  char *p = rig_file(3, -100, &n);
  struct weights w;
  struct reading at_exit, got;
  CHECK_INT(weights_read(p, n, &w, NULL), VDT_OK);
  struct encoder_scratch *s = encoder_scratch_new(&w.encoder);
  encoder_path(NULL)(&w.encoder, s, sample, TOKENS, 1e9f, &at_exit);
  const float marks[] = {at_exit.logit, nextafterf(at_exit.logit, 100)};
  for (int i = 0; i < 2; i++) {
    encoder_path(NULL)(&w.encoder, s, sample, TOKENS, marks[i], &got);
    CHECK_INT(got.left, i == 1);
  }
  encoder_scratch_free(s);
  weights_finish(&w);
  free(p);
}

int main(void)
{
  tiles_execute();
  RUN(is_read);
  RUN(every_cut_is_refused);
  RUN(a_changed_byte_is_refused);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    CASE_BEGIN();
    refuses(i);
    CASE_END("refused: %s", faults[i].name);
  }
  RUN(paths_agree_to_the_bit);
  RUN(paths_agree_where_numbers_overflow);
  RUN(only_what_lies_below_leaves);
  for (int leave = 0; leave < 2; leave++) {
    CASE_BEGIN();
    is_what_a_plain_calculation_gives(leave);
    CASE_END("a plain calculation gives the same %s", leave ? "at the exit" : "at the end");
  }
  return test_end();
}
