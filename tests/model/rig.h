/* A small weights file with random numbers, written the way model/train/export.py writes the real one, for tests and for fuzzing. */
#ifndef TESTS_MODEL_RIG_H
#define TESTS_MODEL_RIG_H
#include "base/buf.h"
#include "model/weights.h"
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

enum {
  RIG_WIDTH = 64,
  RIG_LAYERS = 2,
  RIG_EXIT = 1,
  RIG_HEADS = 2,
  RIG_INNER = 128,
  RIG_WINDOW = 32,
  RIG_STRIDE = 24,
  RIG_GATE_BITS = 8,
  RIG_LETTERS_BITS = 9,
  RIG_SECTIONS = 64
};
static const char rig_pieces[] = "\x04 the\x07 ignore\x03"
                                 "all\x02 a\x02 b\x03 ab\x01"
                                 "e\x06 rules";
enum { RIG_PIECES = 8, RIG_VOCABULARY = FIRST_PIECE + RIG_PIECES };

struct rig {
  struct buf table, body;
  uint32_t n;
  uint64_t seed;
  float pass;                                                     /* the gate's */
  float leave;                                                    /* the exit's */
  float share;                                                    /* of the witness in a logit */
  float letters;                                                  /* of letters */
  float letters_pass;                                             /* what they let through; 0: everything */
  float steep;                                                    /* logits so many times as far apart; 0: once */
  enum { RIG_RISING, RIG_CERTAIN, RIG_UNSURE, RIG_CLEAR } scores; /* rising with the logit; or 1, 0.5 or 0.1 for every logit */
};

static inline float rig_noise(struct rig *r)
{
  r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
  return (float)(r->seed >> 40) / (float)(1 << 23) - 1.0f;
}

static inline void rig_section(struct rig *r, const char *name, const void *p, size_t n)
{
  char padded[17] = {0};
  uint64_t place[2] = {64 + RIG_SECTIONS * 32 + r->body.n, n};
  snprintf(padded, sizeof padded, "%s", name);
  buf_put(&r->table, (struct str){padded, 16});
  buf_put(&r->table, (struct str){(const char *)place, sizeof place});
  buf_put(&r->body, (struct str){p, n});
  while (r->body.n % 64) buf_byte(&r->body, 0);
  r->n++;
}

static inline void rig_floats(struct rig *r, const char *name, size_t n, float base, float range)
{
  float *f = malloc(n * sizeof *f);
  for (size_t i = 0; f && i < n; i++) f[i] = base + range * rig_noise(r);
  rig_section(r, name, f, n * sizeof *f);
  free(f);
}

static inline void rig_bytes(struct rig *r, const char *name, size_t n)
{
  int8_t *b = malloc(n);
  for (size_t i = 0; b && i < n; i++) b[i] = (int8_t)(rig_noise(r) * 127.0f);
  rig_section(r, name, b, n);
  free(b);
}

static inline void rig_matrix(struct rig *r, unsigned layer, const char *part, size_t n, size_t k)
{
  char name[16], scale[16];
  snprintf(name, sizeof name, "%u.%s", layer, part);
  snprintf(scale, sizeof scale, "%u.%s.scale", layer, part);
  rig_bytes(r, name, n * k);
  rig_floats(r, scale, n, 0.002f, 0.001f);
}

static inline void rig_output(struct rig *r, const char *prefix)
{
  static const struct {
    const char *part;
    float range;
  } parts[] = {{"query", 0.2f}, {"pooled", 0.3f}, {"mean", 0.3f}};
  char name[16];
  snprintf(name, sizeof name, "%snorm", prefix);
  rig_floats(r, name, 2 * RIG_WIDTH, 0.5f, 0.5f);
  for (size_t i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "%s%s", prefix, parts[i].part);
    rig_floats(r, name, ROLES * RIG_WIDTH, 0, parts[i].range * (i && r->steep > 0 ? r->steep : 1));
  }
  snprintf(name, sizeof name, "%sbias", prefix);
  rig_floats(r, name, ROLES, 0, 0.1f);
}

static inline void rig_sections(struct rig *r)
{
  const uint32_t shape[] = {RIG_WIDTH,  RIG_LAYERS,    RIG_HEADS,        RIG_INNER, RIG_VOCABULARY, RIG_WINDOW, 10,
                            RIG_STRIDE, RIG_GATE_BITS, RIG_LETTERS_BITS, 3,         RIG_EXIT};
  rig_section(r, "shape", shape, sizeof shape);
  rig_bytes(r, "embedding", RIG_VOCABULARY * RIG_WIDTH);
  rig_floats(r, "embedding.scale", RIG_VOCABULARY, 0.01f, 0.005f);
  rig_floats(r, "rotary", RIG_WINDOW * RIG_WIDTH / RIG_HEADS, 0, 1);
  for (unsigned i = 0; i < RIG_LAYERS; i++) {
    char name[16];
    rig_matrix(r, i, "qkv", 3 * RIG_WIDTH, RIG_WIDTH);
    rig_matrix(r, i, "out", RIG_WIDTH, RIG_WIDTH);
    rig_matrix(r, i, "up", RIG_INNER, RIG_WIDTH);
    rig_matrix(r, i, "down", RIG_WIDTH, RIG_INNER);
    for (unsigned k = 1; k <= 2; k++) {
      snprintf(name, sizeof name, "%u.norm%u", i, k);
      rig_floats(r, name, 2 * RIG_WIDTH, 0.5f, 0.5f);
    }
  }
  rig_output(r, "");
  rig_output(r, "exit.");
  const float leave[] = {r->leave, r->leave};
  rig_section(r, "exit.leave", leave, sizeof leave);
  rig_floats(r, "category", 10 * RIG_WIDTH, 0, 1);
  rig_floats(r, "category.bias", 10, 0, 0.1f);
  const float gate[] = {2, 0.01f, 0.002f, 0.001f, 0, r->pass, 2, 0.01f, 0.002f, 0.001f, 0, r->pass};
  rig_section(r, "gate", gate, sizeof gate);
  rig_bytes(r, "gate.table", (sizeof(struct gate_entry) * ROLES) << RIG_GATE_BITS);
  const float witness[] = {1, 0.008f, 0.003f, 0.001f, 1, r->share, 1, 0.008f, 0.003f, 0.001f, 1, r->share};
  rig_section(r, "witness", witness, sizeof witness);
  const float letters[] = {0.01f, 0.004f, -0.5f, r->letters,
                           r->letters_pass < 0 || r->letters_pass > 0 ? r->letters_pass : -1e9f};
  rig_section(r, "letters", letters, sizeof letters);
  rig_bytes(r, "letters.table", 1u << RIG_LETTERS_BITS);
  const float rules[] = {3, 3};
  rig_section(r, "rules", rules, sizeof rules);
  static const float knots[][6] = {[RIG_RISING] = {-10, 0, 0, 0.5f, 10, 1},
                                   [RIG_CERTAIN] = {-3e6f, 0, -2e6f, 0.5f, -1e6f, 1},
                                   [RIG_UNSURE] = {-1e6f, 0.5f, 0, 0.5f, 1e6f, 0.5f},
                                   [RIG_CLEAR] = {-1e6f, 0.1f, 0, 0.1f, 1e6f, 0.1f}};
  float both[12];
  memcpy(both, knots[r->scores], sizeof knots[0]);
  memcpy(both + 6, knots[r->scores], sizeof knots[0]);
  rig_section(r, "calibration", both, sizeof both);
  rig_section(r, "pieces", rig_pieces, sizeof rig_pieces - 1);
}

/* The checksum for what the file holds now. */
static inline void rig_seal(char *p, size_t n)
{
  uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)p + 64, (uInt)(n - 64));
  memcpy(p + 32, &sum, sizeof sum);
}

/* The file, aligned; free() it. */
static inline char *rig_file_of(struct rig r, size_t *n)
{
  rig_sections(&r);
  size_t begin = 64 + RIG_SECTIONS * 32;
  *n = begin + r.body.n;
  char *p = aligned_alloc(64, (*n + 63) / 64 * 64);
  if (!p) abort();
  memset(p, 0, begin);
  const uint32_t head[] = {WEIGHTS_FORMAT, 7};
  const uint64_t size = *n;
  memcpy(p, "VDTMODEL", 8);
  memcpy(p + 8, head, sizeof head);
  memcpy(p + 16, &size, sizeof size);
  memcpy(p + 36, &r.n, sizeof r.n);
  memcpy(p + 40, "rig", 3);
  memcpy(p + 64, r.table.p, r.table.n);
  memcpy(p + begin, r.body.p, r.body.n);
  rig_seal(p, *n);
  buf_finish(&r.table);
  buf_finish(&r.body);
  return p;
}

/* pass: what the gate lets through. Nothing leaves at the exit. */
static inline char *rig_file(uint64_t seed, float pass, size_t *n)
{
  return rig_file_of((struct rig){.seed = seed, .pass = pass, .leave = -1e9f}, n);
}
#endif
